"""What a battery is made of: items to put to a model, and what is measured on the rows that come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nosce.core.problem import Problem
from nosce.metrics.estimate import Estimate, Floats

Aspect = Literal["knows", "monitors", "acts", "mends", "bears"]
Better = Literal["higher", "lower", "nearer", "neither"]
Unit = Literal["share", "points", "number"]
Source = Literal["bundled", "general"]
"""Where items come from: the bundled families, which the bundled model reads too, or questions in plain words."""

ASPECTS: dict[Aspect, str] = {
    "knows": "What it knows",
    "monitors": "Does it know that it knows?",
    "acts": "Does it act on it?",
    "mends": "Can it mend itself?",
    "bears": "How does it bear pressure?",
}
"""The five questions of a profile, in the order of the page."""

Row = dict[str, Any]
"""What one probe of one item gave, as plain JSON data: numbers and truths (or None) are measured, words are kept to be read."""


@dataclass(frozen=True)
class Item:
    """One thing to put to a model. It gets a Mind of its own; `given` are further keywords of the battery's function.

    `problem.id` must be unique within the battery: it seeds the item's draws, joins its rows in the statistics, and pairs
    two models.
    """

    problem: Problem
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure:
    """One figure of a battery, computed from columns of its rows.

    `statistic(*columns)` takes float arrays (truths as 0 and 1) in the order of `columns`, over the rows where none of them is
    None, and returns the value; it raises InputError or returns NaN where the figure is not defined. Its interval is the
    bootstrap over items, and exact for `share`. `reference` is what the figure is read against (chance, a blind model, a
    control) and `against` says what that is; `better` says which way is good ("nearer": the nearer to the reference). `unit`:
    a `share` is shown in percent, `points` as a signed difference of shares, a `number` as it is. `label` is what people read.
    `front` puts it on the first page; a battery that puts nothing there is shown by the measure that its claim names.
    """

    name: str
    label: str
    aspect: Aspect
    columns: tuple[str, ...]
    statistic: Callable[..., float]
    better: Better = "higher"
    reference: float | None = None
    against: str = ""
    unit: Unit = "share"
    front: bool = False


def share(column: Any) -> float:
    """The mean of a column: of truths, the share that is true. Its interval is exact where every item has one row."""
    return float(column.mean()) if column.size else float("nan")


def difference(first: Floats, second: Floats) -> float:
    """How much more often the first is true than the second: mean of the first column − mean of the second, item by item."""
    return float((first - second).mean())


@dataclass(frozen=True)
class Finding:
    """A measure with what it came to: `estimate` is None where it is not defined on these rows, and `reason` then says why."""

    measure: Measure
    estimate: Estimate | None
    reason: str = ""

    def data(self) -> dict[str, Any]:
        """Plain JSON data."""
        m, e = self.measure, self.estimate
        return {
            "name": m.name, "label": m.label, "aspect": m.aspect, "value": e.value if e else None,
            "interval": list(e.interval) if e else None, "n": e.n if e else 0, "method": e.method if e else "", "better": m.better,
            "reference": m.reference, "against": m.against, "unit": m.unit, "reason": self.reason,
        }  # fmt: skip
