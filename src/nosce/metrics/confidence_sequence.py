"""Intervals that hold at every moment at once: look after each row, stop whenever you like, and still be covered.

P(the mean lies in the interval at all times t = 1, 2, …) >= level, for rows in [0, 1] whose mean given the past
is constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import probabilities, share
from nosce.metrics.estimate import Floats, Interval

Rule = Literal["betting", "empirical-bernstein", "hoeffding"]


@dataclass(frozen=True)
class ConfidenceSequence:
    """`low[t]`, `high[t]` after t + 1 rows; each is the intersection of all so far, so it only ever narrows."""

    low: Floats
    high: Floats
    mean: Floats
    level: float

    @property
    def value(self) -> float:
        return float(self.mean[-1])

    @property
    def interval(self) -> Interval:
        return float(self.low[-1]), float(self.high[-1])


def confidence_sequence(values: ArrayLike, *, level: float = 0.95, rule: Rule = "betting") -> ConfidenceSequence:
    """Time-uniform interval of a mean of rows in [0, 1], in their order.

    `betting` is usually the narrowest, above all on few rows, and costs O(rows · 1000); `empirical-bernstein`
    adapts to the variance in O(rows); `hoeffding` assumes the worst variance. Bets on each row depend on
    earlier rows only.
    """
    rows = probabilities(values, "values")
    alpha = 1 - share(level, "level")
    if rule == "betting":
        low, high = _betting(rows, alpha)
    elif rule in ("empirical-bernstein", "hoeffding"):
        low, high = _mixture(rows, alpha, rule)
    else:
        raise InputError(f"rule: expected betting, empirical-bernstein or hoeffding, got {rule!r}")
    low, high = np.maximum.accumulate(np.maximum(low, 0.0)), np.minimum.accumulate(np.minimum(high, 1.0))
    return ConfidenceSequence(low, high, np.cumsum(rows) / np.arange(1, rows.size + 1), level)


def _past(rows: Floats) -> tuple[Floats, Floats]:
    """Before each row: the mean so far (started at ½ with weight one) and the variance so far (started at ¼)."""
    t = np.arange(1, rows.size + 1)
    mean = (0.5 + np.cumsum(rows)) / (t + 1)
    variance = (0.25 + np.cumsum((rows - mean) ** 2)) / (t + 1)
    return np.concatenate(([0.5], mean[:-1])), np.concatenate(([0.25], variance[:-1]))


def _bets(rows: Floats, alpha: float) -> Floats:
    """λ_t = √(2 ln(2/α) / (σ²_{t−1} · t · ln(1 + t)))."""
    t = np.arange(1, rows.size + 1)
    bets: Floats = np.sqrt(2 * np.log(2 / alpha) / (_past(rows)[1] * t * np.log1p(t)))
    return bets


def _mixture(rows: Floats, alpha: float, rule: Rule) -> tuple[Floats, Floats]:
    """Weighted mean Σ λ x / Σ λ ± (ln(2/α) + Σ v ψ(λ)) / Σ λ."""
    t = np.arange(1, rows.size + 1)
    if rule == "hoeffding":
        bets = np.minimum(np.sqrt(8 * np.log(2 / alpha) / (t * np.log1p(t))), 1.0)
        spent = bets**2 / 8
    else:
        bets = np.minimum(_bets(rows, alpha), 0.5)
        spent = (rows - _past(rows)[0]) ** 2 * (-np.log1p(-bets) - bets)
    weight = np.cumsum(bets)
    centre, reach = np.cumsum(bets * rows) / weight, (np.log(2 / alpha) + np.cumsum(spent)) / weight
    return centre - reach, centre + reach


def _betting(rows: Floats, alpha: float, cells: int = 1000, block: int = 2000) -> tuple[Floats, Floats]:
    """Means m at which neither of two gamblers, one betting that the mean is above m and one below, has grown 2/α-fold.

    Bets are cut to ½/m and ½/(1 − m), so wealth stays positive. The interval reaches one grid cell beyond the
    survivors.
    """
    means = np.linspace(0.0, 1.0, cells + 1)
    bets = _bets(rows, alpha)
    low, high = np.empty(rows.size), np.empty(rows.size)
    wealth_up, wealth_down = np.zeros(means.size), np.zeros(means.size)
    with np.errstate(divide="ignore"):
        most_up, most_down = 0.5 / means, 0.5 / (1 - means)
    for start in range(0, rows.size, block):
        x, bet = rows[start : start + block, None], bets[start : start + block, None]
        up = wealth_up + np.cumsum(np.log1p(np.minimum(bet, most_up) * (x - means)), axis=0)
        down = wealth_down + np.cumsum(np.log1p(-np.minimum(bet, most_down) * (x - means)), axis=0)
        alive = np.maximum(up, down) < np.log(2 / alpha)
        first, last = alive.argmax(1), cells - alive[:, ::-1].argmax(1)
        none = ~alive.any(1)
        low[start : start + block] = np.where(none, -np.inf, means[np.maximum(first - 1, 0)])
        high[start : start + block] = np.where(none, np.inf, means[np.minimum(last + 1, cells)])
        wealth_up, wealth_down = up[-1], down[-1]
    return low, high
