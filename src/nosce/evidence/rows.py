"""One row per answered problem, and what all rows say together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nosce.core.answer import Answer
from nosce.core.cost import Cost
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.metrics import Estimate, accuracy, aurc, auroc2, brier, ece


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one problem.

    `answer` is None where the run does not answer; `withheld` then keeps what it would have said. `calibrated` is the
    probability of being right after calibration. `correct` is the grade in [0, 1], None for a problem without a
    reference; for a row that is not answered it grades what was withheld.
    """

    id: str
    question: str
    answer: str | None
    confidence: float | None
    source: str
    outcome: str
    reason: str = ""
    calibrated: float | None = None
    withheld: str | None = None
    correct: float | None = None
    reference: str | None = None
    family: str = ""
    level: int | None = None
    partial: bool = False
    cost: Cost = field(default_factory=Cost)
    trace_id: str = ""

    @property
    def stated(self) -> float | None:
        """The best confidence there is: calibrated, else raw."""
        return self.confidence if self.calibrated is None else self.calibrated


def row_of(problem: Problem, answer: Answer) -> Row:
    """The row of an answer, graded when the problem has a reference."""
    grade = problem.check(answer.value) if problem.graded else None
    answered = answer.outcome == "answered"
    return Row(
        problem.id, problem.text, answer.value if answered else None, answer.confidence, answer.source, answer.outcome,
        answer.reason, answer.calibrated, None if answered else answer.value, grade,
        None if problem.reference is None else str(problem.reference), problem.family, problem.level, answer.partial,
        answer.cost, answer.trace_id,
    )  # fmt: skip


def withhold(row: Row, reason: str) -> Row:
    """The same row, not answered."""
    return replace(row, answer=None, withheld=row.answer, outcome="abstained", reason=reason)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the rows say together. Measures need references, and are None without (or where they are not defined).

    `accuracy` counts a problem that is not answered as not right; `accuracy_answered` looks at the answered alone. AUROC2,
    ECE, Brier and AURC are over all rows with an answer, given or withheld, and a confidence (calibrated where there is one).
    """

    n: int
    answered: int
    abstained: int
    failed: int
    deferred: int
    coverage: float
    accuracy: Estimate | None
    accuracy_answered: Estimate | None
    auroc2: Estimate | None
    ece: Estimate | None
    brier: Estimate | None
    aurc: Estimate | None
    cost: Cost
    seconds: float = 0.0
    by_outcome: dict[str, int] = field(default_factory=dict)


def summarise(rows: Sequence[Row], seconds: float = 0.0) -> Summary:
    """Count and measure."""
    count = {name: sum(row.outcome == name for row in rows) for name in ("answered", "abstained", "failed", "deferred", "asked")}
    answered = [row for row in rows if row.outcome == "answered"]
    graded = [row for row in rows if row.correct is not None]
    right = [row.outcome == "answered" and (row.correct or 0) >= 0.5 for row in graded]
    said = [row for row in answered if row.correct is not None]
    sure = [row for row in graded if row.stated is not None and (row.answer or row.withheld) is not None]
    stated = np.array([row.stated for row in sure], dtype=float)
    correct = np.array([(row.correct or 0) >= 0.5 for row in sure], dtype=bool)
    return Summary(
        len(rows), count["answered"], count["abstained"], count["failed"], count["deferred"] + count["asked"],
        len(answered) / len(rows) if rows else 0.0,
        measured(lambda: accuracy(right)),
        measured(lambda: accuracy([(row.correct or 0) >= 0.5 for row in said])),
        measured(lambda: auroc2(stated, correct)),
        measured(lambda: ece(stated, correct)),
        measured(lambda: brier(stated, correct)),
        measured(lambda: aurc(stated, correct)),
        sum((row.cost for row in rows), Cost()), seconds, count,
    )  # fmt: skip


def measured(measure: Callable[[], Estimate]) -> Estimate | None:
    """The measure, or None where it is not defined on these rows (too few, one class only)."""
    try:
        return measure()
    except InputError:
        return None


def plain(value: Any) -> Any:
    """Estimates, costs and containers as plain JSON data."""
    if isinstance(value, Estimate):
        return {"value": round(value.value, 6), "interval": [round(x, 6) for x in value.interval], "n": value.n}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value.item() if isinstance(value, np.generic) else value
