"""Bins of confidence, by equal width or equal mass, and what fell into each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nosce.core.errors import InputError
from nosce.metrics.estimate import Bools, Floats, Integers


@dataclass(frozen=True)
class Bins:
    """The bins that hold rows, lowest confidence first: count, mean confidence, share right."""

    low: Floats
    high: Floats
    count: Floats
    confidence: Floats
    accuracy: Floats

    @property
    def gap(self) -> Floats:
        """Mean confidence − accuracy: positive is overconfident."""
        return self.confidence - self.accuracy


def _positive(bins: int) -> int:
    if int(bins) != bins or bins < 1:
        raise InputError(f"bins: expected a whole number of at least 1, got {bins}")
    return int(bins)


def equal_width_bins(confidence: Floats, bins: int) -> Integers:
    """Bin of each row: ((b/B, (b+1)/B], with 0 in the first. Edges are compared as floats, not as products of them."""
    count = _positive(bins)
    inner = np.linspace(0.0, 1.0, count + 1)[1:-1]
    index: Integers = np.searchsorted(inner, confidence, side="left")
    return index


def equal_mass_bins(confidence: Floats, bins: int) -> Integers:
    """Bin of each row so that bins hold nearly the same number; equal confidences stay together.

    Rule: a level whose rows have the mean rank r among n goes to bin floor(B · r / n).
    """
    count = _positive(bins)
    _, level, total = np.unique(confidence, return_inverse=True, return_counts=True)
    middle = np.cumsum(total) - total / 2
    index: Integers = np.minimum(middle * count / confidence.size, count - 1).astype(np.int64)[level]
    return index


def gather(confidence: Floats, right: Bools, index: Integers, bins: int, by_mass: bool = False) -> Bins:
    """Counts, mean confidence and accuracy of every bin that holds a row."""
    count = np.bincount(index, minlength=bins).astype(np.float64)
    held = np.flatnonzero(count)
    stated = np.bincount(index, weights=confidence, minlength=bins)[held] / count[held]
    observed = np.bincount(index, weights=right, minlength=bins)[held] / count[held]
    if by_mass:
        low = np.full(bins, np.inf)
        high = np.full(bins, -np.inf)
        np.minimum.at(low, index, confidence)
        np.maximum.at(high, index, confidence)
        return Bins(low[held], high[held], count[held], stated, observed)
    edges = np.linspace(0.0, 1.0, bins + 1)
    return Bins(edges[held], edges[held + 1], count[held], stated, observed)


def consistency_band(
    confidence: Floats, table: Bins, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[Floats, Floats]:
    """Where the share right of each bin falls, with probability `level`, when every row is right with its stated probability."""
    random, low, high = np.random.default_rng(seed), [], []
    out = round(draws * (1 - level) / 2)
    for least, most in zip(table.low, table.high, strict=True):
        chance = confidence[(confidence >= least) & (confidence <= most)]
        share = np.sort((random.random((draws, chance.size)) < chance).mean(axis=1))
        low.append(float(share[out]))
        high.append(float(share[-1 - out]))
    return np.array(low), np.array(high)
