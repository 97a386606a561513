"""How far stated confidence lies from accuracy: the binned errors, their signed halves, and a binless one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.bins import Bins, equal_mass_bins, equal_width_bins, gather
from nosce.metrics.checks import cluster_codes, scored
from nosce.metrics.estimate import Bools, Estimate, Floats, Integers, influence_error, normal_interval


def _binned_estimate(
    stated: Floats, right: Bools, index: Integers, table: Bins, sign: Floats, level: float, clusters: ArrayLike | None
) -> Estimate:
    """Σ share · sign · gap over bins, delta method: a row's influence is sign(bin) · (confidence − correct)."""
    value = float(table.count @ (sign * table.gap)) / stated.size
    by_bin = np.zeros(int(index.max()) + 1)
    by_bin[np.unique(index) if stated.size < 100_000 else np.flatnonzero(np.bincount(index))] = sign
    influence = stated - right
    influence *= by_bin[index]
    influence -= value
    error = influence_error(influence, cluster_codes(clusters, stated.size))
    interval = normal_interval(value, error, level, (0.0, 1.0))
    return Estimate(value, interval, stated.size, "delta, bins fixed", level, {"bins": table, "error": error})


def ece(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Expected calibration error: Σ over equal-width bins of (rows in bin / n) · |mean confidence − accuracy|.

    In [0, 1], lower is better. `extras["bins"]` shows the bins. Biased upward when bins hold few rows (its size is then
    mostly noise), so compare equal n and equal bins. The normal interval holds the bins and their signs fixed.
    """
    stated, right = scored(confidence, correct, least=2)
    index = equal_width_bins(stated, bins)
    table = gather(stated, right, index, bins)
    return _binned_estimate(stated, right, index, table, np.sign(table.gap), level, clusters)


def ace(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Adaptive calibration error: as `ece`, bins hold nearly equal numbers of rows; equal confidences stay together."""
    stated, right = scored(confidence, correct, least=2)
    index = equal_mass_bins(stated, bins)
    table = gather(stated, right, index, bins, by_mass=True)
    return _binned_estimate(stated, right, index, table, np.sign(table.gap), level, clusters)


def mce(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, level: float = 0.95, least: int = 1) -> Estimate:
    """Maximum calibration error: the largest |mean confidence − accuracy| of any bin holding at least `least` rows.

    In [0, 1], lower is better. One nearly empty bin decides it, hence `least`. The interval is that of the gap of the
    worst bin, as if it had been named beforehand. `extras`: `bins`, `worst` (its index in them).
    """
    stated, right = scored(confidence, correct, least=2)
    index = equal_width_bins(stated, bins)
    table = gather(stated, right, index, bins)
    gaps = np.where(table.count >= least, np.abs(table.gap), -1.0)
    worst = int(gaps.argmax())
    if gaps[worst] < 0:
        raise InputError(f"mce: no bin holds {least} rows; use fewer bins")
    inside = index == np.flatnonzero(np.bincount(index, minlength=bins))[worst]
    residual = stated[inside] - right[inside]
    error = influence_error(residual - residual.mean())
    interval = normal_interval(float(gaps[worst]), error, level, (0.0, 1.0))
    extras = {"bins": table, "worst": worst}
    return Estimate(float(gaps[worst]), interval, stated.size, "normal, worst bin", level, extras)


def overconfidence(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, level: float = 0.95) -> Estimate:
    """The part of `ece` from bins whose confidence exceeds their accuracy; with `underconfidence` it sums to `ece`."""
    stated, right = scored(confidence, correct, least=2)
    index = equal_width_bins(stated, bins)
    table = gather(stated, right, index, bins)
    return _binned_estimate(stated, right, index, table, np.where(table.gap > 0, 1.0, 0.0), level, None)


def underconfidence(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15, level: float = 0.95) -> Estimate:
    """The part of `ece` from bins whose accuracy exceeds their confidence."""
    stated, right = scored(confidence, correct, least=2)
    index = equal_width_bins(stated, bins)
    table = gather(stated, right, index, bins)
    return _binned_estimate(stated, right, index, table, np.where(table.gap < 0, -1.0, 0.0), level, None)


def confidence_bias(
    confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """Mean confidence − accuracy, in [−1, 1]: above 0 overconfident, below 0 underconfident, 0 right on the whole."""
    stated, right = scored(confidence, correct, least=2)
    rows = stated - right
    value = float(rows.mean())
    error = influence_error(rows - value, cluster_codes(clusters, rows.size))
    return Estimate(value, normal_interval(value, error, level, (-1.0, 1.0)), rows.size, "normal", level)


def smooth_ece(confidence: ArrayLike, correct: ArrayLike, *, cells: int = 2048, level: float = 0.95) -> Estimate:
    """Calibration error without bins: ∫ |r_σ(t)| dt, where r_σ is the residual correct − confidence, smoothed over
    confidence by a Gaussian reflected at 0 and 1, at the one bandwidth σ at which the error equals σ.

    In [0, 1], lower is better; it moves continuously with the data. Residuals are first put on a grid of `cells`.
    The interval is the delta method at that σ. `extras["bandwidth"]` is σ.
    """
    stated, right = scored(confidence, correct, least=2)
    place = np.minimum((stated * cells).astype(np.int64), cells - 1)
    residual = right - stated
    mass = np.bincount(place, weights=residual, minlength=cells) / stated.size
    low, high = 0.5 / cells, 1.0
    for _ in range(40):
        sigma = (low + high) / 2
        low, high = (sigma, high) if np.abs(_smooth(mass, sigma)).sum() > sigma else (low, sigma)
    smoothed = _smooth(mass, high)
    value = float(np.abs(smoothed).sum())
    influence = residual * _smooth(np.sign(smoothed), high)[place] - value
    interval = normal_interval(value, influence_error(influence), level, (0.0, 1.0))
    return Estimate(value, interval, stated.size, "delta, bandwidth fixed", level, {"bandwidth": high})


def _smooth(mass: Floats, sigma: float) -> Floats:
    """Convolution with a reflected Gaussian: it is diagonal in the cosine basis, with weights exp(−(π k σ)² / 2)."""
    from scipy import fft

    waves = np.arange(mass.size)
    return np.asarray(fft.idct(fft.dct(mass) * np.exp(-((np.pi * waves * sigma) ** 2) / 2)), dtype=np.float64)
