"""AUROC2 among like questions, and the paired difference of two AUROC2.

A signal that merely tells easy questions from hard ones has a high AUROC2 on mixed questions. Counting only pairs of rows
from the same group (a family at one level, say) takes that out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import both_classes, cluster_codes, same_length, scored
from nosce.metrics.estimate import Bools, Estimate, Floats, Integers, influence_error, normal_interval


def auroc2_within(
    confidence: ArrayLike, correct: ArrayLike, groups: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """Share of the pairs of a right and a wrong row *of the same group* in which the right one is surer, ties half.

    In [0, 1], 0.5 is chance. The interval is DeLong's, by cluster where given; `extras` counts the `pairs`. Raises InputError
    where no group holds both a right and a wrong row.
    """
    stated, right = scored(confidence, correct, least=2)
    value, influence, pairs = _pooled(stated, right, _codes(groups, stated.size))
    error = influence_error(influence, cluster_codes(clusters, stated.size))
    interval = normal_interval(value, error, level, (0.0, 1.0))
    return Estimate(value, interval, stated.size, "DeLong within groups", level, {"pairs": pairs, "error": error})


def auroc2_difference(
    first: ArrayLike, second: ArrayLike, correct: ArrayLike, *, groups: ArrayLike | None = None,
    clusters: ArrayLike | None = None, level: float = 0.95,
) -> Estimate:  # fmt: skip
    """AUROC2 of `first` minus that of `second` on the same rows (within groups where given), in [−1, 1].

    DeLong's interval for correlated areas, by cluster where given; `extras["p_value"]` is two-sided.
    """
    a, right = scored(first, correct, least=2)
    b, _ = scored(second, correct, least=2)
    same_length(("first", a), ("second", b))
    both_classes(right, "auroc2_difference")
    codes = np.zeros(a.size, dtype=np.int64) if groups is None else _codes(groups, a.size)
    (u, on_u, pairs), (v, on_v, _) = _pooled(a, right, codes), _pooled(b, right, codes)
    error = influence_error(on_u - on_v, cluster_codes(clusters, a.size))
    from scipy import special

    p = float(2 * special.ndtr(-abs(u - v) / error)) if error > 0 else float(u == v)
    extras = {"p_value": p, "error": error, "pairs": pairs}
    return Estimate(u - v, normal_interval(u - v, error, level, (-1.0, 1.0)), a.size, "DeLong", level, extras)


def _codes(groups: ArrayLike, n: int) -> Integers:
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"groups: expected {n} labels, one per row, got shape {labels.shape}")
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)


def _pooled(stated: Floats, right: Bools, groups: Integers) -> tuple[float, Floats, int]:
    """Σ won pairs / Σ pairs over the groups, the influence of each row on it, and the number of pairs.

    Row i is in d_i pairs of which it helps to win n_i: its influence is n (n_i − value · d_i) / pairs.
    """
    won, of = np.zeros(stated.size), np.zeros(stated.size)
    for group in range(int(groups.max()) + 1):
        rows = np.flatnonzero(groups == group)
        hits, misses = rows[right[rows]], rows[~right[rows]]
        won[hits], of[hits] = _below(stated[misses], stated[hits]), misses.size
        won[misses], of[misses] = hits.size - _below(stated[hits], stated[misses]), hits.size
    pairs = float(of[right].sum())
    if pairs == 0:
        raise InputError("auroc2_within: no group holds both a right and a wrong row; nothing can be compared")
    value = float(won[right].sum()) / pairs
    return value, np.asarray(stated.size * (won - value * of) / pairs), int(pairs)


def _below(others: Floats, values: Floats) -> Floats:
    """For each value, how many of the others lie below it, ties counted half."""
    ordered = np.sort(others)
    return np.asarray((np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")) / 2, dtype=np.float64)
