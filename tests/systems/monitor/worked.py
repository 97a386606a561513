"""Statistics worked out by hand, for tests of estimators."""

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.monitor.measure import measures
from nosce.monitor.statistics import Statistics

ASKED = Problem("p", "2+2")


def of(name: str, stats: Statistics, **options: Any) -> float | None:
    """The value of a measure by its slug."""
    return measures()[name](stats, **options).value


def token(*probabilities: float) -> tuple[tuple[str, float], ...]:
    """Alternatives a, b, c … with these probabilities."""
    return tuple((chr(97 + i), log(p)) for i, p in enumerate(probabilities))


def one(probabilities: Sequence[float], *tokens: tuple[tuple[str, float], ...], entropies: Sequence[float] | None = None,
        **given: Any) -> Statistics:  # fmt: skip
    """One attempt whose tokens had these probabilities and these alternatives."""
    logprobs = tuple(log(p) for p in probabilities)
    return Statistics(ASKED, [Attempt("n0", "x", "x", logprobs=logprobs, top=tokens or None, entropies=entropies)], **given)


def many(*texts: str, logprobs: Sequence[Sequence[float]] | None = None, **given: Any) -> Statistics:
    """Samples whose answers are their texts."""
    rows = [tuple(row) for row in logprobs] if logprobs else [None] * len(texts)
    attempts = [Attempt(f"n{i}", text, text, logprobs=row) for i, (text, row) in enumerate(zip(texts, rows, strict=True))]
    return Statistics(ASKED, attempts, **given)


def relations(entails: Sequence[Sequence[float]], contradicts: Sequence[Sequence[float]]) -> np.ndarray[Any, Any]:
    """Probabilities [n, n, 3] of entailment, neutrality and contradiction from the first and the last."""
    yes, no = np.array(entails), np.array(contradicts)
    return np.stack([yes, 1 - yes - no, no], axis=-1)
