"""Permutation tests: how often chance alone, by relabelling, gives a difference this large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import cluster_codes, column, same_length
from nosce.metrics.estimate import Floats

_BLOCK = 2_000_000


@dataclass(frozen=True)
class PermutationTest:
    """`value` is the mean difference, `p_value` two-sided; `exact` where every relabelling was counted."""

    value: float
    p_value: float
    relabellings: int
    exact: bool
    n: int


def paired_permutation_test(
    first: ArrayLike, second: ArrayLike, *, clusters: ArrayLike | None = None, resamples: int = 9999, seed: int = 0
) -> PermutationTest:
    """Mean of first − second on the same rows, against random swaps of the pair (of all pairs of a cluster together).

    Exact where 2^groups <= resamples; else p = (1 + draws at least as large) / (1 + resamples).
    """
    a, b = column(first, "first"), column(second, "second")
    same_length(("first", a), ("second", b))
    codes = cluster_codes(clusters, a.size) if clusters is not None else None
    sums = a - b if codes is None else np.bincount(codes, weights=a - b)
    moving = sums[sums != 0]
    observed = abs(float(sums.sum()))
    exact = moving.size < 60 and 2**moving.size <= resamples
    if exact:
        totals = np.zeros(1)
        for step in moving:
            totals = np.concatenate((totals + step, totals - step))
        p = float(np.mean(np.abs(totals) >= observed - 1e-9 * max(1.0, observed)))
        return PermutationTest(float((a - b).mean()), p, totals.size, True, a.size)
    hits = _sign_hits(moving, observed, resamples, seed)
    return PermutationTest(float((a - b).mean()), (1 + hits) / (1 + resamples), resamples, False, a.size)


def _sign_hits(steps: Floats, observed: float, resamples: int, seed: int) -> int:
    rng, hits = np.random.default_rng(seed), 0
    block = max(1, _BLOCK // max(steps.size, 1))
    for start in range(0, resamples, block):
        some = min(block, resamples - start)
        signs = rng.integers(0, 2, (some, steps.size), dtype=np.int8) * 2 - 1
        hits += int(np.count_nonzero(np.abs(signs @ steps) >= observed - 1e-9 * max(1.0, observed)))
    return hits


def permutation_test(first: ArrayLike, second: ArrayLike, *, resamples: int = 9999, seed: int = 0) -> PermutationTest:
    """Difference of the means of two independent samples, against random relabelling of all rows."""
    a, b = column(first, "first"), column(second, "second")
    if resamples < 1:
        raise InputError(f"resamples: expected at least 1, got {resamples}")
    pooled, rng = np.concatenate((a, b)), np.random.default_rng(seed)
    value = float(a.mean() - b.mean())
    hits, total = 0, float(pooled.sum())
    for _ in range(resamples):
        part = float(rng.permutation(pooled)[: a.size].sum())
        hits += abs(part / a.size - (total - part) / b.size) >= abs(value) - 1e-12
    return PermutationTest(value, (1 + hits) / (1 + resamples), resamples, False, pooled.size)
