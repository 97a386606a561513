"""Selective answering with a promise: at most α wrong among the answered, with probability 1 − δ over the
calibration draw.

Why not simply the most lenient threshold whose error rate looks low enough? Because the share of wrong among
the answered is not monotone in the threshold, and looking at many thresholds finds one that was lucky. So each
threshold t is a hypothesis "risk(t) = P(wrong | confidence >= t) exceeds α", tested with an exact binomial tail
on the rows answered at t, and the thresholds are tested in one order, strict to lenient, stopping at the first
that cannot be rejected (Learn-then-Test with fixed-sequence testing). The last rejected threshold is used.

Why it holds, without any assumption on the shape of the risk: let the grid be fixed before the labels of the
tested rows are drawn, and let t* be the first threshold in it whose risk truly exceeds α. It is a fixed number.
A promise is broken only if t* is rejected. Given how many rows N are answered at t*, those rows are independent
draws from the rows with confidence >= t*, so the errors are Binomial(N, risk(t*)), and P(Binomial(N, α) <=
errors) is at most δ with probability at most δ. One test at level δ suffices whatever the length of the grid.

Where the grid starts decides the power, so it may use data, only not the tested rows: `threshold_grid` places
it on rows held apart (the split on which a calibrator was fitted will do), and `select_threshold` holds some
apart where it is given no grid. Choosing the start by how many *tested* rows are answered would make t* depend
on them, and the proof would need the risk to fall with confidence.

The assumption is exchangeability: new questions come from where the calibration rows came from, one row a question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import probabilities, same_length, scored, share, truths
from nosce.metrics.estimate import Bools, Floats

_HELD_APART = 0.2  # share of the rows that place the grid where none is given

_TOO_MANY = 100_000_000


@dataclass(frozen=True)
class RiskThreshold:
    """What was promised, or why nothing was.

    `threshold`: answer where confidence >= it; None where nothing is promised. `n_labels` rows were tested, of
    which `n_answered` (a `coverage` share) lie at or above the threshold, `n_wrong` of them wrong.
    `labels_needed` is the least number of answered labels, all right, that could carry this promise;
    `labels_useful` an estimate of how many labels in all would carry it with power 0.8 at the risk seen (None
    where the risk seen is not below α, so that no number would).
    """

    threshold: float | None
    promised: bool
    alpha: float
    delta: float
    n_labels: int
    n_answered: int
    n_wrong: int
    coverage: float
    reason: str
    labels_needed: int
    labels_useful: int | None
    tested: int
    p_value: float

    def answers(self, confidence: ArrayLike) -> Bools:
        """Which rows may be answered under the promise: none where nothing is promised."""
        stated = probabilities(confidence, least=0)
        return np.zeros(stated.size, bool) if self.threshold is None else stated >= self.threshold


def labels_needed(alpha: float, delta: float = 0.05) -> int:
    """Least number of answered labels, all right, that promises risk α: the smallest n with (1 − α)^n <= δ.

    59 for 5% at 95%, 14 for 20% at 95%.
    """
    return math.ceil(math.log(share(delta, "delta")) / math.log1p(-share(alpha, "alpha")) - 1e-12)


def plan_labels(alpha: float, delta: float = 0.05, *, risk: float, coverage: float = 1.0, power: float = 0.8) -> int | None:
    """Labels in all so that one threshold with this true risk and coverage is accepted with probability `power`.

    None where `risk` is not below α, or so near it that a hundred million labels would not do: then only a better signal
    or a stricter threshold helps.
    """
    share(power, "power")
    if not 0.0 <= risk < 1.0 or not 0.0 < coverage <= 1.0:
        raise InputError(f"expected risk in [0, 1) and coverage in (0, 1], got {risk} and {coverage}")
    if risk >= alpha:
        return None
    low = high = labels_needed(alpha, delta)
    while _power(high, risk, alpha, delta) < power:
        low, high = high, 2 * high
        if high > _TOO_MANY:
            return None
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, risk, alpha, delta) >= power else (middle, high)
    return math.ceil(high / coverage)


def _p_values(wrong: Floats, answered: Floats, alpha: float) -> Floats:
    """P(Binomial(answered, α) <= wrong), elementwise; 1 where nothing is answered."""
    from scipy import special

    tail: Floats = special.betainc(np.maximum(answered - wrong, 1e-300), wrong + 1.0, 1.0 - alpha)
    return np.where(wrong >= answered, 1.0, tail)


def _power(n: int, risk: float, alpha: float, delta: float) -> float:
    """P(accepted) with n answered rows: the binomial mass at or below the most errors that still reject."""
    from scipy import special

    most = math.floor(float(special.bdtrik(delta, n, alpha)) + 1e-9) if (1 - alpha) ** n <= delta else -1
    return float(special.bdtr(most, n, risk)) if most >= 0 else 0.0


def answered_and_wrong(confidence: Floats, right: Bools, grid: Floats) -> tuple[Floats, Floats]:
    """At each threshold: how many rows have confidence >= it, and how many of those are wrong."""
    everyone, mistaken = np.sort(confidence), np.sort(confidence[~right])
    answered = everyone.size - np.searchsorted(everyone, grid, "left")
    wrong = mistaken.size - np.searchsorted(mistaken, grid, "left")
    return answered.astype(np.float64), wrong.astype(np.float64)


def threshold_grid(
    confidence: ArrayLike,
    correct: ArrayLike | None = None,
    *,
    alpha: float,
    n_labels: int,
    delta: float = 0.05,
    steps: int = 100,
) -> tuple[float, ...]:
    """Thresholds in the order of testing, strict to lenient, placed on rows held apart from those to be tested.

    Candidates are `steps` quantiles of the confidences and 0 (answer everything). The first is the one most
    likely to be accepted when `n_labels` rows are tested: the greatest z = (α − r − z_δ √(α (1 − α) / N)) / √(r
    (1 − r) (1/N + 1/m)), with N = n_labels · coverage answered in the test, m in this split, and r the share
    wrong here, shrunk towards α by one row (or, without labels, the mean of 1 − confidence). A poor placement
    costs coverage, never the promise.
    """
    from scipy import special

    stated = probabilities(confidence)
    candidates = np.unique(np.quantile(stated, np.linspace(0, 1, steps, endpoint=False), method="higher"))[::-1]
    candidates = np.append(candidates[candidates > 0.0], 0.0)
    if correct is None:
        order = np.sort(stated)[::-1]
        held = order.size - np.searchsorted(order[::-1], candidates, "left").astype(np.float64)
        wrong = np.concatenate(([0.0], np.cumsum(1.0 - order)))[held.astype(np.int64)]
    else:
        right = truths(correct)
        same_length(("confidence", stated), ("correct", right))
        held, wrong = answered_and_wrong(stated, right, candidates)
    rate = (wrong + alpha) / (held + 1.0)
    expected = held * n_labels / stated.size
    margin = (
        share(alpha, "alpha")
        - rate
        - float(special.ndtri(1 - share(delta, "delta"))) * np.sqrt(alpha * (1 - alpha) / np.maximum(expected, 1.0))
    )
    merit = margin / np.sqrt(rate * (1 - rate) * (1 / np.maximum(expected, 1.0) + 1 / np.maximum(held, 1.0)))
    merit[expected < labels_needed(alpha, delta)] = -np.inf
    start = int(np.argmax(merit)) if np.isfinite(merit).any() else candidates.size - 1
    return tuple(float(t) for t in candidates[start:])


def _ordered(grid: Sequence[float] | Floats) -> Floats:
    thresholds = probabilities(grid, "grid")
    if np.any(np.diff(thresholds) >= 0):
        raise InputError("grid: thresholds must fall strictly, from strict to lenient; it is the order of testing")
    return thresholds


def hold_apart(n: int, part: float = _HELD_APART, seed: int = 0) -> Bools:
    """A random choice of a `part` of n rows, fixed by the seed: True for the rows held apart."""
    apart = np.zeros(n, bool)
    apart[np.random.default_rng(seed).permutation(n)[: round(part * n)]] = True
    return apart


def select_threshold(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    alpha: float,
    delta: float = 0.05,
    grid: Sequence[float] | None = None,
    seed: int = 0,
) -> RiskThreshold:
    """The most lenient threshold at which "at most `alpha` wrong among the answered" holds with probability 1 −
    `delta`.

    `grid` lists thresholds strict to lenient, fixed without these rows (see `threshold_grid`). Without it a
    random fifth of the rows, fixed by `seed`, places the grid and the rest is tested; if the rest were then too
    few to promise anything, nothing is held apart and only "answer everything" is tested. With too few labels
    nothing is promised and the result says how many are needed. Source of the rule: Learn-then-Test with
    fixed-sequence testing and exact binomial tails.
    """
    stated, right = scored(confidence, correct)
    needed = labels_needed(alpha, delta)
    if grid is None and right.size < 2 * needed:
        thresholds = np.zeros(1)
    elif grid is None:
        apart = hold_apart(right.size, seed=seed)
        n_test = int(np.count_nonzero(~apart))
        placed = threshold_grid(stated[apart], right[apart], alpha=alpha, delta=delta, n_labels=n_test)
        thresholds, stated, right = _ordered(placed), stated[~apart], right[~apart]
    else:
        thresholds = _ordered(grid)
    answered, wrong = answered_and_wrong(stated, right, thresholds)
    p_values = _p_values(wrong, answered, alpha)
    failed = np.flatnonzero(p_values > delta)
    accepted = int(failed[0]) if failed.size else thresholds.size
    at = max(accepted - 1, 0)
    return _result(thresholds, answered, wrong, p_values, accepted, at, right.size, alpha, delta)


def _result(
    grid: Floats,
    answered: Floats,
    wrong: Floats,
    p_values: Floats,
    accepted: int,
    at: int,
    n: int,
    alpha: float,
    delta: float,
) -> RiskThreshold:
    held, errors, promised = int(answered[at]), int(wrong[at]), accepted > 0
    needed = labels_needed(alpha, delta)
    coverage = held / n
    seen = (errors + 0.5) / (held + 1)
    return RiskThreshold(
        threshold=float(grid[at]) if promised else None,
        promised=promised,
        alpha=alpha,
        delta=delta,
        n_labels=n,
        n_answered=held if promised else 0,
        n_wrong=errors if promised else 0,
        coverage=coverage if promised else 0.0,
        reason=_reason(promised, float(grid[at]), held, errors, float(p_values[at]), alpha, delta, needed),
        labels_needed=needed,
        labels_useful=plan_labels(alpha, delta, risk=seen, coverage=coverage) if held and seen < alpha else None,
        tested=min(accepted + 1, grid.size),
        p_value=float(p_values[at]),
    )


def _reason(promised: bool, t: float, held: int, errors: int, p: float, alpha: float, delta: float, needed: int) -> str:
    seen = f"at confidence >= {t:.4g}, {errors} of {held} answered labels are wrong"
    if promised:
        return (
            f"at most {alpha:.4g} wrong among the answered with probability {1 - delta:.4g} over the calibration draw, "
            f"if new questions are exchangeable with these: {seen} (p = {p:.2g})"
        )
    if held < needed:
        return f"nothing promised: {seen}, and a promise of {alpha:.4g} needs at least {needed}, all right"
    return f"nothing promised: {seen} (p = {p:.2g} > {delta:.4g}), too many to show a risk below {alpha:.4g}"
