"""The rows of a run as arrays: what every chart is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nosce.evidence.rows import Row, measured
from nosce.metrics import Estimate, auroc2, ece
from nosce.metrics.estimate import Bools, Floats
from nosce.mind.engine import UNKNOWN


def right(row: Row) -> bool:
    """Whether the answer, given or withheld, is right."""
    return (row.correct or 0.0) >= 0.5


def said(row: Row) -> str | None:
    """The answer, given or withheld; None where there is none to grade, a model's own `unknown` included."""
    value = row.withheld if row.answer is None else row.answer
    return None if value == UNKNOWN else value


def ending(row: Row) -> str:
    """How a problem ended: `right`, `wrong` or `answered` (ungraded), else its outcome."""
    if row.outcome != "answered":
        return row.outcome
    return "answered" if row.correct is None else "right" if right(row) else "wrong"


@dataclass(frozen=True)
class Sure:
    """The graded rows that state a confidence: the confidence (calibrated where it is), the raw one, right, answered."""

    stated: Floats
    raw: Floats
    right: Bools
    answered: Bools

    @property
    def calibrated(self) -> bool:
        """Whether any calibrated value differs from the raw one."""
        return bool(np.any(np.abs(self.stated - self.raw) > 1e-9))

    @property
    def drawable(self) -> bool:
        """Whether there is enough to draw a curve from."""
        return self.stated.size >= 20


def sure(rows: Sequence[Row]) -> Sure:
    """Those rows, answered and withheld alike."""
    kept = [row for row in rows if row.correct is not None and row.stated is not None and said(row) is not None]
    return Sure(
        np.array([row.stated for row in kept], dtype=np.float64),
        np.array([row.stated if row.confidence is None else row.confidence for row in kept], dtype=np.float64),
        np.array([right(row) for row in kept], dtype=np.bool_),
        np.array([row.outcome == "answered" for row in kept], dtype=np.bool_),
    )


def self_knowledge(rows: Sequence[Row]) -> tuple[Estimate | None, Estimate | None]:
    """AUROC2 and ECE over all graded rows that state a confidence, withheld ones included (None where not defined).

    A run's summary measures the answered alone; what a model knows of its mistakes shows only beside what it withheld.
    """
    found = sure(rows)
    return measured(lambda: auroc2(found.stated, found.right)), measured(lambda: ece(found.stated, found.right))


@dataclass(frozen=True)
class Cell:
    """The problems of one family and level."""

    n: int
    right: int
    graded: int
    answered: int
    tokens: int

    @property
    def accuracy(self) -> float | None:
        """Share right of all graded, None without references."""
        return self.right / self.graded if self.graded else None


@dataclass(frozen=True)
class Grid:
    """Cells by (family, level); level None holds what has no level, and `totals` each family as a whole."""

    families: list[str]
    levels: list[int | None]
    cells: dict[tuple[str, int | None], Cell]
    totals: dict[str, Cell]


def grid(rows: Sequence[Row]) -> Grid:
    """Rows gathered by family and level."""
    families = sorted({row.family for row in rows})
    levels: list[int | None] = [*sorted({row.level for row in rows if row.level is not None})]
    levels += [None] * any(row.level is None for row in rows)
    groups: dict[tuple[str, int | None], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.family, row.level), []).append(row)
    totals = {family: cell([row for row in rows if row.family == family]) for family in families}
    return Grid(families, levels, {key: cell(group) for key, group in groups.items()}, totals)


def cell(rows: Sequence[Row]) -> Cell:
    """Counts over some rows."""
    return Cell(
        len(rows),
        sum(ending(row) == "right" for row in rows),
        sum(row.correct is not None for row in rows),
        sum(row.outcome == "answered" for row in rows),
        sum(row.cost.tokens for row in rows),
    )
