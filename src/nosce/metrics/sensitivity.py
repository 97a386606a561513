"""Signal-detection measures of telling two things apart, and of knowing when one did: d′, meta-d′ and M-ratio.

Counts follow the usual layout: `nR_S1[i]` is how often stimulus S1 got response category i, from "S1, surest"
through "S1, least sure", "S2, least sure" to "S2, surest"; `nR_S2` likewise, so both hold 2K numbers for K
confidence ratings. For a model that checks answers, S2 is "the answer is right" and the response is its yes or
no.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import column, same_length, truths
from nosce.metrics.estimate import Estimate, Floats, Interval, normal_interval

_SQRT_2PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class MetaD:
    """meta-d′ with what it is compared to. `value` and `interval` are meta-d′ in units of d′.

    `m_ratio` = meta-d′ / d′ (1: all the evidence reaches the ratings; below 1: some is lost); `m_difference` =
    meta-d′ − d′.
    """

    value: float
    interval: Interval
    n: int
    d_prime: float
    criterion: float
    m_ratio: float
    m_ratio_interval: Interval
    m_difference: float
    log_likelihood: float
    padded: bool
    level: float = 0.95


def rating_counts(stimulus: ArrayLike, response: ArrayLike, rating: ArrayLike, n_ratings: int) -> tuple[Floats, Floats]:
    """(nR_S1, nR_S2) from rows: stimulus and response 0 for S1 and 1 for S2, rating 1 … n_ratings, higher is surer."""
    shown, said = truths(stimulus, "stimulus"), truths(response, "response")
    rated = column(rating, "rating")
    same_length(("stimulus", shown), ("response", said), ("rating", rated))
    if np.any((rated < 1) | (rated > n_ratings) | (rated != np.round(rated))):
        raise InputError(f"rating: expected whole numbers from 1 to {n_ratings}")
    place = np.where(said, n_ratings - 1 + rated, n_ratings - rated).astype(np.int64)
    counts = [np.bincount(place[shown == s], minlength=2 * n_ratings).astype(np.float64) for s in (False, True)]
    return counts[0], counts[1]


def _checked(n_s1: ArrayLike, n_s2: ArrayLike) -> tuple[Floats, bool]:
    """Both rows as (2, 2K), padded by 1/2K a cell where any cell is empty, and whether they were."""
    first, second = column(n_s1, "nR_S1", 2), column(n_s2, "nR_S2", 2)
    same_length(("nR_S1", first), ("nR_S2", second))
    counts = np.stack((first, second))
    if first.size % 2:
        raise InputError(f"nR_S1 and nR_S2: expected 2K counts for K ratings, got {first.size}")
    if np.any(counts < 0) or np.any(counts.sum(1) == 0):
        raise InputError("nR_S1 and nR_S2: counts must not be negative, and each stimulus must occur")
    empty = bool(np.any(counts == 0))
    return counts + (1 / first.size if empty else 0.0), empty


def _rates(counts: Floats) -> tuple[float, float]:
    """z(hit rate), z(false-alarm rate)."""
    from scipy import special

    half = counts.shape[1] // 2
    alarm, hit = counts[:, half:].sum(1) / counts.sum(1)
    return float(special.ndtri(hit)), float(special.ndtri(alarm))


def d_prime(nR_S1: ArrayLike, nR_S2: ArrayLike, *, level: float = 0.95) -> Estimate:
    """d′ = z(hit rate) − z(false-alarm rate): separation in standard deviations, 0 is chance. Interval by the
    delta method.

    `extras["criterion"]` = −½ (z(H) + z(F)). Where a cell is empty, 1/2K is added to every cell.
    """
    from scipy import special

    counts, _ = _checked(nR_S1, nR_S2)
    hit, alarm = _rates(counts)
    total = counts.sum(1)
    variance = sum(
        p * (1 - p) / n / (np.exp(-z * z / 2) / _SQRT_2PI) ** 2
        for z, n in ((alarm, total[0]), (hit, total[1]))
        for p in (float(special.ndtr(z)),)
    )
    interval = normal_interval(hit - alarm, float(np.sqrt(variance)), level)
    return Estimate(hit - alarm, interval, round(float(total.sum())), "delta", level, {"criterion": -(hit + alarm) / 2})


def _cuts(theta: Floats, ratio: float) -> tuple[Floats, Floats]:
    """The 2K − 1 criteria, and their derivatives by theta: shapes (2K−1,), (2K−1, 2K−1).

    theta[0] is meta-d′; the middle criterion is ratio · meta-d′; the others lie exp(theta[i]) apart on either side.
    """
    size = theta.size
    middle = size // 2
    gaps = np.exp(theta[1:])
    slope = np.zeros((size, size))
    slope[:, 0] = ratio
    for i in range(1, middle + 1):
        slope[: middle - i + 1, i] = -gaps[i - 1]  # theta[1 … K−1]: downwards from the middle
        slope[middle + i :, middle + i] = gaps[middle + i - 1]
    return ratio * theta[0] + slope[:, 1:].sum(1), slope


def _loss(theta: Floats, counts: Floats, ratio: float) -> tuple[float, Floats]:
    """Negative log-likelihood of the ratings given stimulus and response, with its gradient."""
    from scipy import special

    cuts, slope = _cuts(theta, ratio)
    middle = cuts.size // 2
    loss, gradient = 0.0, np.zeros(theta.size)
    for row, side in ((counts[0], 0.5), (counts[1], -0.5)):
        x = cuts + side * theta[0]  # distance from the mean, which lies at −side · meta-d′
        d_x = slope.copy()
        d_x[:, 0] += side
        area = np.concatenate(([0.0], special.ndtr(x), [1.0]))
        upper = np.concatenate(([1.0], special.ndtr(-x), [0.0]))
        # differences from the nearer tail, so that far cells keep their digits
        cell = np.where(area[:-1] < 0.5, np.diff(area), -np.diff(upper))
        weight = row / np.maximum(cell, 1e-300)
        halves = np.array([area[middle + 1], upper[middle + 1]])
        totals = np.array([row[: middle + 1].sum(), row[middle + 1 :].sum()])
        loss -= float(row @ np.log(np.maximum(cell, 1e-300)) - totals @ np.log(halves))
        pull = weight[:-1] - weight[1:]
        pull[middle] -= totals[0] / halves[0] - totals[1] / halves[1]
        gradient -= (pull * np.exp(-x * x / 2) / _SQRT_2PI) @ d_x
    return loss, gradient


def _start(counts: Floats, d: float, c: float) -> Floats:
    """d′ itself, and the gaps between the criteria that the pooled cumulative shares imply."""
    from scipy import special

    share = np.cumsum(counts / counts.sum(1, keepdims=True), axis=1)[:, :-1]
    cuts = (special.ndtri(share[0]) - d / 2 + special.ndtri(share[1]) + d / 2) / 2
    gaps = np.maximum(np.diff(cuts), 0.05)
    middle = gaps.size // 2
    return np.concatenate(([d], np.log(gaps[:middle][::-1]), np.log(gaps[middle:])))


def _fit(counts: Floats, ratio: float, start: Floats) -> tuple[Floats, float]:
    from scipy import optimize

    found = optimize.minimize(_loss, start, args=(counts, ratio), jac=True, method="BFGS", options={"gtol": 1e-6})
    return np.asarray(found.x), float(found.fun)


def _sensitivities(theta: Floats, counts: Floats, d: float, ratio: float) -> tuple[Floats, Floats]:
    """d(meta-d′)/d(count) and d(d′)/d(count) of every cell, each (2, 2K), by the implicit-function theorem."""
    step = 1e-4
    base = _loss(theta, counts, ratio)[1]
    hessian = np.stack(
        [
            (_loss(theta + step * e, counts, ratio)[1] - _loss(theta - step * e, counts, ratio)[1]) / (2 * step)
            for e in np.eye(theta.size)
        ]
    )
    meta, prime = np.zeros_like(counts), np.zeros_like(counts)
    for cell in np.ndindex(*counts.shape):
        more = counts.copy()
        more[cell] += step
        hit, alarm = _rates(more)
        moved = _loss(theta, more, -(hit + alarm) / 2 / (hit - alarm))[1]
        meta[cell] = -np.linalg.solve(hessian, (moved - base) / step)[0]
        prime[cell] = (hit - alarm - d) / step
    return meta, prime


def _error(slope: Floats, counts: Floats) -> float:
    """Standard error of a function of two multinomial rows from its slopes."""
    mean = (counts * slope).sum(1, keepdims=True) / counts.sum(1, keepdims=True)
    return float(np.sqrt((counts * (slope - mean) ** 2).sum()))


def meta_d(nR_S1: ArrayLike, nR_S2: ArrayLike, *, level: float = 0.95) -> MetaD:
    """meta-d′: the d′ that an ideal rater would need to produce the observed ratings; by maximum likelihood.

    Equal-variance Gaussians at ∓ meta-d′/2; the type-1 criterion is held at the observed c′ = c / d′ (times
    meta-d′), and the 2K − 2 rating criteria are free. The likelihood is of the ratings given stimulus and
    response. Intervals: delta method over both multinomial rows, with the uncertainty of d′ and c′ in it. Where
    a cell is empty, 1/2K is added to every cell. Raises InputError where d′ is not above 0: the ratio has no
    meaning there.
    """
    counts, padded = _checked(nR_S1, nR_S2)
    if counts.shape[1] < 4:
        raise InputError("meta_d: at least two confidence ratings are needed, that is four counts a stimulus")
    hit, alarm = _rates(counts)
    d, c = hit - alarm, -(hit + alarm) / 2
    if d <= 1e-6:
        raise InputError(f"meta_d: d' is {d:.3g}; meta-d' is only defined where the responses beat chance")
    theta, loss = _fit(counts, c / d, _start(counts, d, c))
    meta = float(theta[0])
    by_meta, by_d = _sensitivities(theta, counts, d, c / d)
    interval = normal_interval(meta, _error(by_meta, counts), level)
    ratio_interval = normal_interval(meta / d, _error((by_meta - meta / d * by_d) / d, counts), level)
    n = round(float(counts.sum()))
    return MetaD(meta, interval, n, d, c, meta / d, ratio_interval, meta - d, -loss, padded, level)
