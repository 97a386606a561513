"""Resampling intervals: plain, paired and clustered by problem, with one stream of random numbers per call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import cluster_codes, column, same_length, share
from nosce.metrics.estimate import Estimate, Floats, Integers, Interval

_CELLS = 4_000_000  # numbers held at once while resampling: 32 MB


def percentile_interval(draws: Floats, level: float) -> Interval:
    """The central `level` of the draws; draws without a value are left out."""
    held = draws[np.isfinite(draws)]
    if held.size < 2:
        raise InputError("bootstrap: the statistic has no value on the resamples; there are too few rows of one kind")
    low, high = np.quantile(held, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _row_draws(n: int, codes: Integers | None, resamples: int, seed: int) -> Iterator[Integers]:
    """Row indices of each resample; whole clusters are drawn where there are clusters."""
    rng = np.random.default_rng(seed)
    if codes is None:
        for _ in range(resamples):
            yield rng.integers(0, n, n)
        return
    order = np.argsort(codes, kind="stable").astype(np.int64)
    size = np.bincount(codes)
    start = np.cumsum(size) - size
    for _ in range(resamples):
        chosen = rng.integers(0, size.size, size.size)
        lengths = size[chosen]
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        yield order[np.repeat(start[chosen], lengths) + offset]


def bootstrap(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    clusters: ArrayLike | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Any statistic of paired columns with its percentile interval.

    `statistic(*columns)` returns a float; rows are drawn together, by cluster where given. Resamples on which it raises
    InputError or returns NaN are left out and counted in `extras["void"]`; `error` is the draws' standard deviation.
    """
    arrays = [column(values, f"column {i}", 2) for i, values in enumerate(columns)]
    same_length(*((f"column {i}", a) for i, a in enumerate(arrays)))
    codes = cluster_codes(clusters, arrays[0].size)
    draws = np.array([_or_nan(statistic, [a[rows] for a in arrays]) for rows in _row_draws(arrays[0].size, codes, resamples, seed)])
    return _estimate(float(statistic(*arrays)), draws, arrays[0].size, share(level, "level"), codes)


def _or_nan(statistic: Callable[..., float], columns: list[Floats]) -> float:
    try:
        return float(statistic(*columns))
    except InputError:
        return np.nan


def _estimate(value: float, draws: Floats, n: int, level: float, codes: Integers | None) -> Estimate:
    held = draws[np.isfinite(draws)]
    interval = percentile_interval(draws, level)
    extras = {"error": float(held.std(ddof=1)), "draws": draws, "void": int(draws.size - held.size)}
    return Estimate(value, interval, n, "bootstrap" if codes is None else "clustered bootstrap", level, extras)


def mean_draws(sums: Floats, sizes: Floats, resamples: int, seed: int) -> Floats:
    """Count of Σ sums / Σ sizes over resampled groups, vectorised: (resamples,).

    Groups are drawn as multinomial counts, a block of resamples at a time, so that memory stays flat.
    """
    rng = np.random.default_rng(seed)
    groups = sums.size
    block = max(1, _CELLS // groups)
    draws = np.empty(resamples)
    for start in range(0, resamples, block):
        some = min(block, resamples - start)
        chosen = rng.integers(0, groups, (some, groups), dtype=np.int32)
        draws[start : start + some] = sums[chosen].sum(1) / sizes[chosen].sum(1)
    return draws


def _grouped(values: Floats, codes: Integers | None) -> tuple[Floats, Floats]:
    if codes is None:
        return values, np.ones(values.size)
    return np.bincount(codes, weights=values).astype(np.float64), np.bincount(codes).astype(np.float64)


def bootstrap_mean(
    values: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """A mean with its percentile interval, vectorised; clusters (problems, training seeds) are drawn whole."""
    rows = column(values, "values", 2)
    codes = cluster_codes(clusters, rows.size)
    draws = mean_draws(*_grouped(rows, codes), resamples, seed)
    return _estimate(float(rows.mean()), draws, rows.size, share(level, "level"), codes)


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean of first − second on the same rows, clustered by problem where one problem has several rows.

    `extras["p_value"]` is two-sided: twice the smaller share of draws (plus one) on either side of zero, at most 1.
    """
    a, b = column(first, "first", 2), column(second, "second", 2)
    same_length(("first", a), ("second", b))
    mean = bootstrap_mean(a - b, clusters=clusters, resamples=resamples, level=level, seed=seed)
    draws: Floats = mean.extras["draws"]
    tail = min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0))
    extras = {**mean.extras, "p_value": min(1.0, 2 * (tail + 1) / (draws.size + 1))}
    return Estimate(mean.value, mean.interval, mean.n, f"paired {mean.method}", level, extras)
