"""The one page of a profile: one HTML file that needs nothing else, runs no script and opens offline. Needs `nosce[report]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nosce.batteries.profile import Profile
from nosce.core.battery import ASPECTS, Aspect, Finding, Measure
from nosce.report import profile_lines as said
from nosce.report.files import write_whole
from nosce.report.html import render
from nosce.report.text import count, price

WIDTH = 240.0
"""Of a figure's own scale, in its own units."""


def write_profile(found: Sequence[Profile], path: Path) -> Path:
    """Write the page of one model, or of two side by side. Raises CapabilityError without the extra."""
    grouped = said.lines(found)
    page = render(
        "profile.html", title=f"{' and '.join(one.spec for one in found)} · profile", found=found, two=len(found) == 2,
        headline=headline(found), lead=lead(found), tiles=[tile(aspect, own) for aspect, own in grouped.items()],
        parts=[part(aspect, own) for aspect, own in grouped.items()], sittings=sittings(found), refused=said.refused(found),
        made=made_from(found),
    )  # fmt: skip
    return write_whole(path, page)


def headline(found: Sequence[Profile]) -> str:
    """Who is on the page."""
    return found[0].spec if len(found) == 1 else f"{found[0].spec} against {found[1].spec}"


def lead(found: Sequence[Profile]) -> str:
    """How much was asked, and of what kind."""
    sat = [s for s in found[0].sittings if not s.refused]
    kind = "the bundled families" if found[0].source == "bundled" else "questions in plain words"
    tokens = count(sum(one.cost.tokens for one in found))
    return f"{len(sat)} batteries, about {found[0].n} items each, made by program from {kind}; {tokens} tokens in all."


def tile(aspect: Aspect, own: Sequence[said.Line]) -> dict[str, Any]:
    """The short answer to one question."""
    head, line = {"aspect": aspect, "title": ASPECTS[aspect]}, said.answer(aspect, own)
    if line is None:
        return {**head, "value": "–", "reach": "", "label": "not asked", "side": "none", "word": "", "second": ""}
    stand = said.side(line.own)
    return {
        **head, "value": said.value(line.own), "reach": said.interval(line.own),
        "label": line.measure.label, "side": stand, "word": said.WORDS[stand],
        "second": f"the other {said.value(line.findings[1])}" if len(line.findings) == 2 else "",
    }  # fmt: skip


def part(aspect: Aspect, own: Sequence[said.Line]) -> dict[str, Any]:
    """One question with its figures, those of the page first; batteries that measured nothing are named elsewhere."""
    front = [row(line) for line in own if line.front and line.defined]
    rest = [row(line) for line in own if not line.front or not line.defined]
    return {"aspect": aspect, "title": ASPECTS[aspect], "front": front, "rest": rest}


def row(line: said.Line) -> dict[str, Any]:
    """One figure: its words, its values, and where its marks stand on the scale."""
    low, high = scale(line)
    marks = [
        {"side": said.side(finding) if place == 0 else "second", **_mark(finding, low, high)}
        for place, finding in enumerate(line.findings) if finding is not None and finding.estimate is not None
    ]  # fmt: skip
    reference = line.measure.reference
    return {
        "label": line.measure.label, "battery": said.name(line.battery), "id": line.battery.battery.id,
        "title": line.battery.battery.title, "side": said.side(line.own), "values": [said.value(f) for f in line.findings],
        "intervals": [said.interval(f) for f in line.findings], "n": line.own.estimate.n if line.own.estimate else 0,
        "against": said.against(line.measure), "reason": "" if line.defined else line.own.reason, "marks": marks,
        "reference": None if reference is None else _at(reference, low, high), "gap": said.gap(line),
        "gap_side": said.gap_side(line), "height": 14 * max(1, len(line.findings)) + 4, "better": line.measure.better,
    }  # fmt: skip


def scale(line: said.Line) -> tuple[float, float]:
    """The ends of the scale: 0 and 1 for shares, −1 and 1 for differences and for numbers that may be negative."""
    signed = line.measure.unit == "points" or (line.measure.unit == "number" and _below_zero(line.measure, line.findings))
    return (-1.0, 1.0) if signed else (0.0, 1.0)


def _below_zero(measure: Measure, findings: Sequence[Finding | None]) -> bool:
    lows = [f.estimate.interval[0] for f in findings if f is not None and f.estimate is not None]
    return measure.reference == 0.0 or any(low < 0 for low in lows)


def _mark(finding: Finding, low: float, high: float) -> dict[str, float]:
    estimate = finding.estimate
    assert estimate is not None
    places = {"x": estimate.value, "from": estimate.interval[0], "to": estimate.interval[1]}
    return {name: _at(number, low, high) for name, number in places.items()}


def _at(number: float, low: float, high: float) -> float:
    return round(WIDTH * (min(max(number, low), high) - low) / (high - low), 1)


def sittings(found: Sequence[Profile]) -> list[dict[str, Any]]:
    """What was asked, and what it cost each model."""
    shown = []
    for place, first in enumerate(found[0].sittings):
        sat = [(one.spec, one.sittings[place]) for one in found]
        if any(not s.refused for _, s in sat):
            shown.append({
                "id": first.battery.id, "battery": said.name(first), "title": first.battery.title,
                "items": " / ".join(dict.fromkeys(f"{s.items - s.unfinished} of {s.items}" for _, s in sat if not s.refused)),
                "costs": ["not asked" if s.refused else price(s.cost) for _, s in sat],
                "remarks": [f"{spec}: " * (len(found) == 2) + " ".join(s.remarks) for spec, s in sat if s.remarks],
            })  # fmt: skip
    return shown


def made_from(found: Sequence[Profile]) -> list[tuple[str, str]]:
    """How the page can be made again."""
    from importlib.metadata import version

    first = found[0]
    return [
        *((one.spec, one.version) for one in found), ("items a battery", count(first.n)), ("seed", str(first.seed)),
        ("again with", f"{said.command(found)} --out DIR"), ("nosce", version("nosce")),
    ]  # fmt: skip
