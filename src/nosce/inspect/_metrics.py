"""Our measures as metrics of Inspect."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from inspect_ai.scorer import Metric, SampleScore, Value, metric

from nosce.core.errors import InputError
from nosce.metrics.estimate import Bools, Estimate, Floats
from nosce.metrics.inventory import measure_all
from nosce.metrics.proportion import accuracy

MARKS = {"C": 1.0, "I": 0.0, "P": 0.5}
NO_ANSWER = "N"
Rows = tuple[Floats, Floats, Bools]


def rows_of(scores: list[SampleScore]) -> Rows:
    """Confidence and correctness (NaN where there is none), and whether the question was answered, a row a sample."""
    told = [(_confidence(s), _grade(s), answered(s)) for s in scores]
    confidence, correct, given = zip(*told, strict=True) if told else ((), (), ())
    return np.array(confidence, float), np.array(correct, float), np.array(given, bool)


def answered(sample: SampleScore) -> bool:
    """Whether the question was answered. Inspect turns NOANSWER into 0 before it measures, so the metadata says it again."""
    return bool((sample.score.metadata or {}).get("answered", sample.score.value != NO_ANSWER))


def _confidence(sample: SampleScore) -> float:
    found = (sample.score.metadata or {}).get("confidence")
    return math.nan if found is None else float(found)


def _grade(sample: SampleScore) -> float:
    """1 for right, 0 for wrong; for a question that was not answered, the grade of what was withheld."""
    value: Any = sample.score.value
    if not answered(sample):
        value = (sample.score.metadata or {}).get("graded")
    grade = MARKS.get(value, math.nan) if isinstance(value, str) else value
    if isinstance(grade, bool | int | float) and not math.isnan(grade):
        return float(grade >= 0.5)
    return math.nan


def _told(name: str, found: Estimate | None, interval: bool) -> Value:
    value = math.nan if found is None else found.value
    if not interval:
        return value
    low, high = (math.nan, math.nan) if found is None else found.interval
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _measure(name: str) -> Callable[..., Metric]:
    """A measure of confidence against correctness, over the samples that have both; NaN where it is not defined."""

    @metric(name=name)
    def made(interval: bool = False) -> Metric:
        def measured(scores: list[SampleScore]) -> Value:
            confidence, correct, _ = rows_of(scores)
            card = measure_all({"confidence": confidence, "correct": correct}, only=(name,))
            return _told(name, card.measures.get(name), interval)

        return measured

    return made


auroc2 = _measure("auroc2")
aurc = _measure("aurc")
e_aurc = _measure("e_aurc")
prr = _measure("prr")
ece = _measure("ece")
smooth_ece = _measure("smooth_ece")
brier = _measure("brier")
log_score = _measure("log_score")


@metric
def coverage(interval: bool = False) -> Metric:
    """Share of the questions that were answered."""

    def measured(scores: list[SampleScore]) -> Value:
        return _told("coverage", _share(rows_of(scores)[2]), interval)

    return measured


@metric
def selective_accuracy(interval: bool = False) -> Metric:
    """Share right among the answered; NaN where nothing was answered."""

    def measured(scores: list[SampleScore]) -> Value:
        _, correct, given = rows_of(scores)
        return _told("selective_accuracy", _share(correct[given & ~np.isnan(correct)]), interval)

    return measured


def _share(flags: Any) -> Estimate | None:
    try:
        return accuracy(flags)
    except InputError:
        return None
