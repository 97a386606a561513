"""Does confidence tell right rows from wrong ones? AUROC2 and the rank correlations, all from one tally of counts.

Let W(g) and R(g) be the wrong and the right rows below level g plus half of those at it. Everything here is built from
the concordant pairs C (a right row surer than a wrong one), the discordant pairs D, and the ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import both_classes, cluster_codes, column, same_length, scored, truths
from nosce.metrics.estimate import (
    Bools,
    Estimate,
    Floats,
    Integers,
    Interval,
    influence_error,
    normal_interval,
    weighted_influence_error,
)
from nosce.metrics.tally import Tally, tally


def _below(counts: Floats) -> Floats:
    """Rows strictly below each level."""
    return np.cumsum(counts) - counts


def _perfect_or_normal(value: float, error: float, pairs: int, level: float, bounds: Interval) -> tuple[Interval, str]:
    """A normal interval, or, where every pair agrees and the error is zero, the exact one of `pairs` disjoint pairs."""
    from scipy import special

    if error > 0.0:
        return normal_interval(value, error, level, bounds), "normal"
    bound = float(special.betaincinv(pairs, 1, (1 - level) / 2))  # k of k disjoint pairs agree
    low, high = bounds
    reach = (high - low) * (1 - bound)
    interval = (high - reach, high) if value >= high else (low, low + reach) if value <= low else (value, value)
    return interval, "exact on disjoint pairs"


def _share_beaten(other: Floats) -> Floats:
    """For a row at each level: the share of the `other` kind that lies below it, ties counted half."""
    share = np.cumsum(other)
    total = share[-1]
    share -= other / 2
    share /= total
    return share


def _variance_of_mean(values: Floats, mean: float, counts: Floats) -> float:
    """Σ counts (values − mean)² / ((n − 1) n), in place: ten million rows should not be copied."""
    n = float(counts.sum())
    values -= mean
    values *= values
    return float(counts @ values) / max(n - 1, 1) / n


def auroc2_of(rows: Tally, level: float = 0.95) -> Estimate:
    """AUROC2 of rows already gathered; see `auroc2`."""
    wrong, right = rows.wrong, rows.right
    n_wrong, n_right = float(wrong.sum()), float(right.sum())
    beaten = _share_beaten(wrong)
    value = float(right @ beaten) / n_right
    variance = _variance_of_mean(beaten, value, right)
    del beaten
    variance += _variance_of_mean(_share_beaten(right), 1 - value, wrong)
    error = float(np.sqrt(variance))
    interval, method = _perfect_or_normal(value, error, int(min(n_right, n_wrong)), level, (0.0, 1.0))
    method = "DeLong" if method == "normal" else method
    extras = {"n_right": int(n_right), "n_wrong": int(n_wrong), "error": error}
    return Estimate(value, interval, int(rows.n), method, level, extras)


def _share_below(ordered: Floats, values: Floats) -> Floats:
    """For each value, the share of `ordered` below it, ties counted half."""
    places = np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")
    return places / (2.0 * ordered.size)


def _clustered_auroc2(stated: Floats, right: Bools, clusters: Integers, level: float) -> Estimate:
    plain = auroc2_of(tally(stated, right), level)
    hits, misses = np.sort(stated[right]), np.sort(stated[~right])
    beaten, beats = _share_below(misses, stated[right]), _share_below(hits, stated[~right])
    influence = np.empty(stated.size)
    influence[right] = (beaten - plain.value) * stated.size / hits.size
    influence[~right] = (1 - beats - plain.value) * stated.size / misses.size
    error = influence_error(influence, clusters)
    interval, _ = _perfect_or_normal(plain.value, error, min(hits.size, misses.size), level, (0.0, 1.0))
    return Estimate(plain.value, interval, plain.n, "clustered DeLong", level, {**plain.extras, "error": error})


def auroc2(confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Type-2 AUROC: P(a right row is surer than a wrong one) + ½ P(tie). In [0, 1], 0.5 is chance, higher is better.

    O(n log n), exact under ties. The interval is DeLong's (by cluster where given); where no pair disagrees, it is the
    exact one-sided binomial bound of min(n_right, n_wrong) disjoint pairs, so a perfect score on few rows stays wide.
    Raises InputError where all rows are right or all are wrong.
    """
    stated, right = scored(confidence, correct, least=2)
    both_classes(right, "auroc2")
    codes = cluster_codes(clusters, stated.size)
    if codes is not None:
        return _clustered_auroc2(stated, right, codes, level)
    return auroc2_of(tally(stated, right), level)


def _pair_counts(rows: Tally) -> tuple[float, float, Floats, Floats, Floats, Floats]:
    """C, D, and per level what one more right or wrong row adds to each: c_right, c_wrong, d_right, d_wrong."""
    wrong_below, right_below = _below(rows.wrong), _below(rows.right)
    wrong_above = rows.wrong.sum() - wrong_below - rows.wrong
    right_above = rows.right.sum() - right_below - rows.right
    concordant, discordant = float(rows.right @ wrong_below), float(rows.right @ wrong_above)
    return concordant, discordant, wrong_below, right_above, wrong_above, right_below


def gamma(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Goodman and Kruskal's gamma, (C − D) / (C + D): in [−1, 1], ties between a right and a wrong row left out.

    The usual index of resolution in feeling-of-knowing and judgement-of-learning studies. Normal interval by the delta
    method. Raises InputError where every right row ties with every wrong one.
    """
    stated, right = scored(confidence, correct, least=2)
    both_classes(right, "gamma")
    rows = tally(stated, right)
    c, d, c_right, c_wrong, d_right, d_wrong = _pair_counts(rows)
    if c + d == 0:
        raise InputError("gamma: every right row ties with every wrong one in confidence; no pair can be ordered")
    value = (c - d) / (c + d)
    scale = 2 * rows.n / (c + d) ** 2
    counts = np.concatenate((rows.right, rows.wrong))
    influence = np.concatenate((d * c_right - c * d_right, d * c_wrong - c * d_wrong)) * scale
    error = weighted_influence_error(influence, counts)
    pairs = int(min(rows.n_right, rows.n - rows.n_right))
    interval, method = _perfect_or_normal(value, error, pairs, level, (-1.0, 1.0))
    return Estimate(value, interval, right.size, method, level, {"concordant": c, "discordant": d})


def kendall(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Kendall's τ-b of confidence with correctness: (C − D) / √((pairs untied in confidence) · (n_right · n_wrong)).

    In [−1, 1]. Normal interval by the delta method. Raises InputError where either column is constant.
    """
    stated, right = scored(confidence, correct, least=2)
    both_classes(right, "kendall")
    rows = tally(stated, right)
    n, n_right = rows.n, rows.n_right
    untied = (n * n - float(rows.total @ rows.total)) / 2
    if untied == 0:
        raise InputError("kendall: confidence is the same in every row; there is nothing to rank")
    c, d, c_right, c_wrong, d_right, d_wrong = _pair_counts(rows)
    mixed = n_right * (n - n_right)
    value = (c - d) / np.sqrt(untied * mixed)
    free = n - rows.total  # rows that one row does not tie with

    def influence(extra: Floats, others: float) -> Floats:
        moved = n * (extra - 2 * (c - d) / n)
        moved_scale = n * ((free - 2 * untied / n) / untied + (others - 2 * mixed / n) / mixed) / 2
        row: Floats = moved / np.sqrt(untied * mixed) - value * moved_scale
        return row

    both = np.concatenate((influence(c_right - d_right, n - n_right), influence(c_wrong - d_wrong, n_right)))
    error = weighted_influence_error(both, np.concatenate((rows.right, rows.wrong)))
    return Estimate(float(value), normal_interval(value, error, level, (-1.0, 1.0)), right.size, "normal", level)


def _ranks(values: Floats) -> tuple[Floats, Integers]:
    """Mid-ranks as shares in (0, 1), and the level of each row."""
    _, code, total = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = ((np.cumsum(total) - total / 2) / values.size)[code]
    return ranks, code


def _surer_mean(code: Integers, other: Floats) -> Floats:
    """For each row: the mean over all rows of `other`, counted where that row lies above, half where it ties."""
    sums = np.bincount(code, weights=other)
    surer: Floats = ((sums.sum() - np.cumsum(sums) + sums / 2) / code.size)[code]
    return surer


def spearman(confidence: ArrayLike, outcome: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Spearman's ρ: the correlation of the mid-ranks of two columns, in [−1, 1].

    `outcome` is correctness or any number per row (effort, length, another signal); confidence may be any score here.
    Normal interval by the infinitesimal jackknife, ranks included. Raises InputError where a column is constant.
    """
    x, y = column(confidence, "confidence", 3), column(outcome, "outcome", 3)
    same_length(("confidence", x), ("outcome", y))
    (u, u_code), (v, v_code) = _ranks(x), _ranks(y)
    u, v = u - 0.5, v - 0.5
    s_uu, s_vv, s_uv = float(np.mean(u * u)), float(np.mean(v * v)), float(np.mean(u * v))
    if s_uu == 0.0 or s_vv == 0.0:
        raise InputError(f"spearman: {'confidence' if s_uu == 0.0 else 'outcome'} is the same in every row")
    value = s_uv / np.sqrt(s_uu * s_vv)
    d_uv = u * v - s_uv + (_surer_mean(u_code, v) - s_uv) + (_surer_mean(v_code, u) - s_uv)
    d_uu = u * u - s_uu + 2 * (_surer_mean(u_code, u) - s_uu)
    d_vv = v * v - s_vv + 2 * (_surer_mean(v_code, v) - s_vv)
    influence = d_uv / np.sqrt(s_uu * s_vv) - value / 2 * (d_uu / s_uu + d_vv / s_vv)
    error = influence_error(influence)
    return Estimate(float(value), normal_interval(value, error, level, (-1.0, 1.0)), x.size, "normal", level)


def phi(kept: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """φ of a yes/no decision with correctness: the correlation of a two-by-two table, in [−1, 1].

    `kept` is 1 where the answer was kept (bet on, given), 0 where it was withdrawn. Interval by the delta method.
    Raises InputError where all decisions or all outcomes are alike.
    """
    decided, right = truths(kept, "kept", 2), truths(correct, least=2)
    same_length(("kept", decided), ("correct", right))
    both_classes(right, "phi")
    if decided.all() or not decided.any():
        raise InputError(f"phi: all {decided.size} answers were {'kept' if decided.all() else 'withdrawn'}")
    zx, zy = (decided - decided.mean()) / decided.std(), (right - right.mean()) / right.std()
    value = float(np.mean(zx * zy))
    error = influence_error(zx * zy - value / 2 * (zx**2 + zy**2))
    interval, method = _perfect_or_normal(
        value, error if abs(value) < 1 - 1e-12 else 0.0, int(min(right.sum(), (~right).sum())), level, (-1.0, 1.0)
    )
    return Estimate(float(np.clip(value, -1, 1)), interval, right.size, method, level)
