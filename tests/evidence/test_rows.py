"""What rows say together: a withheld answer is not right, and raw and calibrated stay apart."""

import pytest

from nosce.core.answer import Answer
from nosce.core.cost import Cost
from nosce.core.problem import Problem
from nosce.evidence.rows import Row, row_of, summarise, withhold


def row(answer: str | None, correct: float, confidence: float, calibrated: float | None = None) -> Row:
    outcome = "answered" if answer else "abstained"
    return Row("i", "q", answer, confidence, "samples", outcome, calibrated=calibrated, correct=correct, cost=Cost(10, 5, 1))


def test_accuracy_counts_what_is_withheld_as_not_right() -> None:
    rows = [row("1", 1, 0.9), row("2", 0, 0.4), row(None, 1, 0.2), row("4", 1, 0.8)]
    found = summarise(rows)
    assert (found.answered, found.abstained, found.coverage) == (3, 1, 0.75)
    assert found.accuracy is not None
    assert found.accuracy.value == 0.5
    assert found.accuracy_answered is not None
    assert found.accuracy_answered.value == pytest.approx(2 / 3)
    assert found.auroc2 is not None
    assert found.auroc2.value == 1.0
    assert found.cost == Cost(40, 20, 4)


def test_measures_use_the_calibrated_confidence_where_there_is_one() -> None:
    rows = [row("1", 1, 0.1, 0.9), row("2", 0, 0.9, 0.2)]
    assert summarise(rows).auroc2.value == 1.0  # type: ignore[union-attr]  # two classes are there
    assert rows[0].stated == 0.9


def test_without_references_nothing_is_measured() -> None:
    found = summarise([Row("i", "q", "1", 0.5, "samples", "answered")])
    assert found.accuracy is None
    assert found.auroc2 is None


def test_a_row_keeps_what_it_withholds() -> None:
    kept = row_of(Problem("p", "1+1", reference="2"), Answer("p", "2", 0.7, "samples"))
    assert (kept.answer, kept.correct, kept.withheld) == ("2", 1.0, None)
    held = withhold(kept, "too risky")
    assert (held.answer, held.withheld, held.outcome, held.reason) == (None, "2", "abstained", "too risky")
