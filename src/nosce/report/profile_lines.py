"""What a profile says, figure by figure, ready to be drawn: one model, or two with their paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nosce.batteries.profile import Profile, differences
from nosce.batteries.sitting import Sitting, batteries
from nosce.core.battery import ASPECTS, Aspect, Finding, Measure
from nosce.core.registry import catalogue

Side = Literal["good", "bad", "open", "none"]
"""The side of its reference on which a figure's whole interval lies; `open`: neither; `none`: nothing to read it against."""

FEW = 10
WORDS: dict[Side, str] = {"good": "yes", "bad": "no", "open": "not shown", "none": ""}
FIRST: dict[Aspect, tuple[tuple[str, str], ...]] = {
    "knows": (("S158", "accuracy"),),
    "monitors": (("S368", "auroc2"),),
    "acts": (("S158", "withdraw_delta"),),
    "mends": (("S280", "cs_gain"),),
    "bears": (("S171", "full"), ("S280", "pressed")),
}
"""The figure that answers each question at the head of the page, where it was measured; else the first on the page."""


def command(found: Sequence[Profile]) -> str:
    """The command that makes these profiles again."""
    first = found[0]
    asked = [sitting.battery for sitting in first.sittings]
    some = ["--battery", ",".join(battery.id for battery in asked)] if len(asked) < len(batteries()) else []
    against = [f"--against {one.spec}" for one in found[1:]]
    return " ".join(["nosce profile", first.spec, *against, *some, f"--n {first.n} --seed {first.seed}"])


@dataclass(frozen=True)
class Line:
    """One figure of one battery: of the first model, of a second where there is one, and their difference."""

    battery: Sitting
    measure: Measure
    findings: tuple[Finding | None, ...]
    gap: Finding | None = None

    @property
    def front(self) -> bool:
        """Whether it stands on the page itself."""
        return on_front(self.battery, self.measure)

    @property
    def own(self) -> Finding:
        """The first model's."""
        found = self.findings[0]
        return found if found is not None else Finding(self.measure, None, "not asked")

    @property
    def defined(self) -> bool:
        """Whether any model has a value."""
        return any(finding is not None and finding.estimate is not None for finding in self.findings)


def on_front(sitting: Sitting, measure: Measure) -> bool:
    """Marked so by the battery; where it marks none, the measure that its claim names."""
    measures, claim = sitting.battery.options["measures"], sitting.battery.claim
    marked = any(m.front for m in measures)
    return measure.front if marked else claim is not None and measure.name == claim.endpoint


def lines(found: Sequence[Profile]) -> dict[Aspect, list[Line]]:
    """Every figure under the five questions, batteries in their order."""
    gaps = differences(*found) if len(found) == 2 else {}
    grouped: dict[Aspect, list[Line]] = {aspect: [] for aspect in ASPECTS}
    for place, sitting in enumerate(found[0].sittings):
        sittings = [one.sittings[place] for one in found]
        for measure in sitting.battery.options["measures"] if any(not s.refused for s in sittings) else ():
            findings = tuple(_of(s, measure) for s in sittings)
            gap = gaps.get(sitting.battery.slug, {}).get(measure.name)
            grouped[measure.aspect].append(Line(sitting, measure, findings, gap))
    for aspect, own in grouped.items():
        first = answer(aspect, own)
        own.sort(key=lambda line: line is not first)  # used at once
    return grouped


def _of(sitting: Sitting, measure: Measure) -> Finding | None:
    return next((f for f in sitting.findings if f.measure.name == measure.name), None)


def answer(aspect: Aspect, own: Sequence[Line]) -> Line | None:
    """The line that answers the question at the head of the page, None where nothing of it was measured."""
    there = {
        (line.battery.battery.id, line.measure.name): line
        for line in own if line.own.estimate is not None and line.own.estimate.n >= FEW
    }  # fmt: skip
    named = next((there[key] for key in FIRST[aspect] if key in there), None)
    return named or next((line for line in there.values() if line.front), None)


def side(finding: Finding | None) -> Side:
    """Where the finding stands; fewer than ten rows show nothing. For `nearer`, away from the reference is bad, near it is open."""
    if finding is None or finding.estimate is None or (at := finding.measure.reference) is None:
        return "none"
    if finding.estimate.n < FEW:
        return "open"
    measure, (low, high) = finding.measure, finding.estimate.interval
    above, below = low > at, high < at
    if measure.better == "neither":
        return "none"
    if measure.better == "nearer":
        return "bad" if above or below else "open"
    if not above and not below:
        return "open"
    return "good" if above == (measure.better == "higher") else "bad"


def gap_side(line: Line) -> Side:
    """Whether the first model is better than the second, its whole interval included."""
    if line.gap is None or line.gap.estimate is None or line.measure.better not in ("higher", "lower"):
        return "none"
    low, high = line.gap.estimate.interval
    if low <= 0 <= high:
        return "open"
    return "good" if (low > 0) == (line.measure.better == "higher") else "bad"


def value(finding: Finding | None) -> str:
    """A value as its unit is read: 81.2%, +42.0 points, 0.871."""
    if finding is None or finding.estimate is None:
        return "–"
    return in_unit(finding.measure, finding.estimate.value)


def in_unit(measure: Measure, number: float) -> str:
    """A number in the measure's unit."""
    if measure.unit == "share":
        return f"{100 * number:.1f}%"
    return f"{100 * number:+.1f}" if measure.unit == "points" else f"{number:.3f}"


def interval(finding: Finding | None) -> str:
    """`56.4 to 82.9`, empty where nothing was measured."""
    if finding is None or finding.estimate is None:
        return ""
    scale, digits = (1, 3) if finding.measure.unit == "number" else (100, 1)
    low, high = finding.estimate.interval
    sign = "+" if finding.measure.unit == "points" else ""
    return f"{scale * low:{sign}.{digits}f} to {scale * high:{sign}.{digits}f}"


def gap(line: Line) -> str:
    """The paired difference with its interval."""
    if line.gap is None or line.gap.estimate is None:
        return "–"
    scale, digits = (1, 3) if line.measure.unit == "number" else (100, 1)
    low, high = line.gap.estimate.interval
    return f"{scale * line.gap.estimate.value:+.{digits}f} ({scale * low:+.{digits}f} to {scale * high:+.{digits}f})"


def against(measure: Measure) -> str:
    """What the figure is read against: `0.500, chance`."""
    if measure.reference is None:
        return ""
    at = "0" if measure.reference == 0 else in_unit(measure, measure.reference)
    return f"{at}, {measure.against}" if measure.against else at


def name(sitting: Sitting) -> str:
    """What people call the battery: the catalogue's name, else its slug."""
    row = catalogue().get(sitting.battery.id)
    return row.name if row else sitting.battery.name


def refused(found: Sequence[Profile]) -> list[tuple[str, str, str]]:
    """Batteries that a model was not put to: model, battery, reason."""
    return [(one.spec, name(s), s.refused) for one in found for s in one.sittings if s.refused]


def data(found: Sequence[Profile]) -> dict[str, Any]:
    """One profile, or two with their paired differences, as plain JSON data."""
    if len(found) == 1:
        return found[0].data()
    gaps: Mapping[str, Mapping[str, Finding]] = differences(*found)
    shown = {slug: {name: one.data() for name, one in own.items()} for slug, own in gaps.items()}
    return {"profiles": [one.data() for one in found], "differences": shown}
