"""A profile as Markdown, for a repository's documentation."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.batteries.profile import Profile
from nosce.core.battery import ASPECTS
from nosce.report import profile_lines as said
from nosce.report.text import brief, count, price


def markdown(found: Sequence[Profile]) -> str:
    """The figures of the page under the five questions, then what was asked, what was not, and the command that does it again."""
    first = found[0]
    unasked = "Nothing of this could be asked." if said.refused(found) else "The batteries chosen do not ask this."
    parts = [
        f"# {' against '.join(one.spec for one in found)}: a profile", "",
        f"`{said.command(found)}`: {first.n} items a battery, "
        f"{count(sum(one.cost.tokens for one in found))} tokens, {', '.join(one.version for one in found)}. "
        "95% intervals over items; **bold** where the whole interval lies on the good side of what the figure is read against. "
        "Signed figures without a % are percentage points.", "",
    ]  # fmt: skip
    for aspect, own in said.lines(found).items():
        front = [line for line in own if line.front and line.defined]
        parts += [f"## {ASPECTS[aspect]}", "", *(_table(front, found) if front else [unasked]), ""]
    return "\n".join([*parts, *_asked(found)]) + "\n"


def _table(front: Sequence[said.Line], found: Sequence[Profile]) -> list[str]:
    two = len(found) == 2
    second = [found[1].spec, "difference, paired"] if two else []
    heads = ["figure", found[0].spec, "95%", *second, "n", "read against", "battery"]
    rows = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 3)}---|---|"]
    for line in front:
        value = said.value(line.own)
        value = f"**{value}**" if said.side(line.own) == "good" else value
        other = [said.value(line.findings[1]), said.gap(line)] if two else []
        n = str(line.own.estimate.n) if line.own.estimate else "0"
        about = [n, said.against(line.measure), line.battery.battery.id]
        cells = [line.measure.label, value, said.interval(line.own), *other, *about]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _asked(found: Sequence[Profile]) -> list[str]:
    lines = ["## What was asked", "", "| battery | model | items | cost | |", "|---|---|--:|--:|---|"]
    for one in found:
        for s in one.sittings:
            if not s.refused:
                items, remarks = f"{s.items - s.unfinished} of {s.items}", brief(" ".join(s.remarks), 240)
                lines.append(f"| {s.battery.id} {said.name(s)} | {one.spec} | {items} | {price(s.cost)} | {remarks} |")
    named = ", {}" if len(found) == 2 else ""
    if refusals := said.refused(found):
        lines += ["", "Not asked:", "", *(f"- {battery}{named.format(spec)}: {reason}" for spec, battery, reason in refusals)]
    return lines
