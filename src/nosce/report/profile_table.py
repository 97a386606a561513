"""A profile as tables for a terminal, and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nosce.batteries.profile import Profile, by_aspect, differences
from nosce.core.battery import ASPECTS, Finding, Measure
from nosce.report.text import count, price

if TYPE_CHECKING:
    from rich.table import Table


def profile_data(found: Sequence[Profile]) -> dict[str, Any]:
    """One profile, or two with their paired differences, as plain JSON data."""
    if len(found) == 1:
        return found[0].data()
    gaps = {slug: {name: gap.data() for name, gap in own.items()} for slug, own in differences(*found).items()}
    return {"profiles": [one.data() for one in found], "differences": gaps}


def figure(measure: Measure, value: float) -> str:
    """A value as its unit is read: 81.2%, +0.42 points as +42.0, 0.871."""
    if measure.unit == "share":
        return f"{100 * value:.1f}%"
    return f"{100 * value:+.1f}" if measure.unit == "points" else f"{value:.3f}"


def interval(finding: Finding) -> str:
    """`[56.4, 82.9]`, empty where nothing was measured."""
    if finding.estimate is None:
        return ""
    scale, digits = (1, 3) if finding.measure.unit == "number" else (100, 1)
    low, high = finding.estimate.interval
    return f"[{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def signed(finding: Finding) -> str:
    """A difference with its interval."""
    if finding.estimate is None:
        return "–"
    number = finding.measure.unit == "number"
    value = finding.estimate.value
    return f"{value:+.3f} {interval(finding)}" if number else f"{100 * value:+.1f} {interval(finding)}"


def stands(finding: Finding) -> str:
    """`good`, `bad` or nothing: which side of its reference the whole interval lies on, read in the measure's good direction."""
    measure, estimate = finding.measure, finding.estimate
    if estimate is None or measure.reference is None or measure.better not in ("higher", "lower"):
        return ""
    low, high = estimate.interval
    above, below = low > measure.reference, high < measure.reference
    good = above if measure.better == "higher" else below
    return "good" if good else "bad" if above or below else ""


def profile_tables(found: Sequence[Profile]) -> list[Table]:
    """A table for each of the five questions, and one of what every battery cost."""
    gaps = differences(*found) if len(found) == 2 else {}
    drawn = [t for aspect in ASPECTS if (t := _aspect(aspect, found, gaps)) is not None]
    return [*drawn, _sittings(found)]


def _aspect(aspect: str, found: Sequence[Profile], gaps: dict[str, dict[str, Finding]]) -> Table | None:
    from nosce.report.terminal import accented, table

    own, lines = by_aspect(found[0])[aspect], []
    others = {(s.battery.slug, f.measure.name): f for s, f in by_aspect(found[1])[aspect]} if len(found) == 2 else {}
    for sitting, finding in own:
        key = (sitting.battery.slug, finding.measure.name)
        cells = [accented(_value(finding), stands(finding) == "good"), interval(finding)]
        if len(found) == 2:
            second = others.get(key)
            gap = gaps.get(key[0], {}).get(key[1])
            cells += [_value(second) if second else "–", signed(gap) if gap else "–"]
        n = str(finding.estimate.n) if finding.estimate else "0"
        lines.append((finding.measure.label, *cells, n, _read_against(finding), sitting.battery.slug))
    if not lines:
        return None
    versus = (found[1].spec, "difference (paired)") if len(found) == 2 else ()
    heads = ("", found[0].spec, "95%", *versus, "n", "read against", "battery")
    return table(heads, lines, left=(0, len(heads) - 2, len(heads) - 1), title=ASPECTS[aspect])  # type: ignore[index]


def _value(finding: Finding) -> str:
    return "–" if finding.estimate is None else figure(finding.measure, finding.estimate.value)


def _read_against(finding: Finding) -> str:
    if finding.estimate is None:
        return f"not defined: {finding.reason}"
    measure = finding.measure
    return "" if measure.reference is None else f"{figure(measure, measure.reference)} {measure.against}".strip()


def _sittings(found: Sequence[Profile]) -> Table:
    from nosce.report.terminal import table

    lines = []
    for one in found:
        for sitting in one.sittings:
            said = f"not asked: {sitting.refused}" if sitting.refused else " ".join(sitting.remarks)
            left = f"{sitting.items - sitting.unfinished} of {sitting.items}" if sitting.items else "–"
            lines.append((one.spec, sitting.battery.id, sitting.battery.slug, left, price(sitting.cost), said))
    heads = ("model", "id", "battery", "items", "cost", "")
    return table(heads, lines, left=(0, 1, 2, 5), title=f"What it took: {count(sum(one.cost.tokens for one in found))} tokens")
