"""What a second look does to answers: keeping right ones, mending wrong ones, and seeing one's own mistakes at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.bootstrap import percentile_interval
from nosce.metrics.checks import cluster_codes, same_length, share, truths
from nosce.metrics.estimate import Estimate, Floats


def _per_problem(before: ArrayLike, after: ArrayLike, problem: ArrayLike | None) -> Floats:
    """Per problem: share right before, right before and after, wrong before and right after. (problems, 3)."""
    first, second = truths(before, "before", 2), truths(after, "after", 2)
    same_length(("before", first), ("after", second))
    columns = np.stack((first, first & second, ~first & second), axis=1).astype(np.float64)
    codes = cluster_codes(problem, first.size)
    if codes is None:
        return columns
    count = np.bincount(codes)
    return np.stack([np.bincount(codes, weights=c) / count for c in columns.T], axis=1)


def _estimate(rows: Floats, rule: Callable[[Floats], Floats], level: float, resamples: int, seed: int, reason: str) -> Estimate:
    """`rule` maps means (…, 3) to values (…); the interval draws problems."""
    value = float(rule(rows.mean(0)))
    if not np.isfinite(value):
        raise InputError(reason)
    rng = np.random.default_rng(seed)
    chosen = rng.multinomial(rows.shape[0], np.full(rows.shape[0], 1 / rows.shape[0]), resamples)
    draws = rule(chosen @ rows / rows.shape[0])
    interval = percentile_interval(draws, share(level, "level"))
    return Estimate(value, interval, rows.shape[0], "bootstrap by problem", level)


def _divide(top: Floats, bottom: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def confidence_level(
    before: ArrayLike,
    after: ArrayLike,
    *,
    problem: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """CL = Σ a b / Σ a: the chance that a right first answer is still right after self-correction. In [0, 1],
    higher is better.

    a = P(right first) of a problem, b = P(right after | right first). `before`, `after`: 0/1 a row; `problem` joins the
    rows (samples) of one problem, each problem weighing the same.
    Source: S280, Confidence v.s. Critique: A Decomposition of Self-Correction Capability for LLMs.
    """
    rows = _per_problem(before, after, problem)
    reason = "confidence_level: no first answer is right, so none could be kept"
    return _estimate(rows, lambda m: _divide(m[..., 1], m[..., 0]), level, resamples, seed, reason)


def critique_score(
    before: ArrayLike,
    after: ArrayLike,
    *,
    problem: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """CS = Σ (1 − a) c / Σ (1 − a): the chance that a wrong first answer is right after self-correction. In [0, 1].

    c = P(right after | wrong first); otherwise as `confidence_level`. Source: S280.
    """
    rows = _per_problem(before, after, problem)
    reason = "critique_score: every first answer is right, so none could be mended"
    return _estimate(rows, lambda m: _divide(m[..., 2], 1 - m[..., 0]), level, resamples, seed, reason)


def relative_self_correction_score(
    before: ArrayLike,
    after: ArrayLike,
    *,
    problem: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """RSS = (Acc₂ − Acc₁²) / (2 Acc₁ (1 − Acc₁)): accuracy after, placed between Acc₁² (0) and 1 − (1 − Acc₁)² (1).

    0.5 exactly where self-correction leaves accuracy as it was. Source: S280.
    """
    rows = _per_problem(before, after, problem)
    reason = "relative_self_correction_score: first answers are all right or all wrong"

    def rule(m: Floats) -> Floats:
        first = m[..., 0]
        return _divide(m[..., 1] + m[..., 2] - first**2, 2 * first * (1 - first))

    return _estimate(rows, rule, level, resamples, seed, reason)


def blind_spot_rate(own: ArrayLike, external: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> Estimate:
    """(share mended when another made the error − share mended when the model made it) / the former.

    `own[i]`, `external[i]`: was the same injected error i mended as the model's own text, and as someone
    else's? 1 is blind to itself, 0 no blind spot, below 0 better at its own. 0 by definition where no external
    error is mended either. Source: S310, Self-Correction Bench: Revealing and Addressing the Self-Correction
    Blind Spot in LLMs.
    """
    mine, theirs = truths(own, "own", 2), truths(external, "external", 2)
    same_length(("own", mine), ("external", theirs))
    rows = np.stack((mine, theirs), axis=1).astype(np.float64)
    extras = {"own": float(mine.mean()), "external": float(theirs.mean())}
    if not theirs.any():
        return Estimate(0.0, (0.0, 0.0), mine.size, "defined as 0", level, extras)
    reason = "blind_spot_rate: no value"
    found = _estimate(rows, lambda m: _divide(m[..., 1] - m[..., 0], m[..., 1]), level, resamples, seed, reason)
    return Estimate(found.value, found.interval, found.n, found.method, level, extras)
