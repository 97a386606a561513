"""One threshold under several promises at once: few wrong, few abstentions, little cost, together with
probability 1 − δ.

A threshold keeps all promises exactly when none of the hypotheses "risk j exceeds α_j" holds, so its p-value is
the largest of theirs, and fixed-sequence testing goes on as for one risk (see `risk`). δ is shared by all
promises, not split among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nosce.control.risk import hold_apart
from nosce.core.errors import InputError
from nosce.metrics.checks import probabilities, same_length, share
from nosce.metrics.estimate import Bools, Floats

Over = Literal["answered", "all", "silent"]


@dataclass(frozen=True)
class RiskLimit:
    """One promise: the mean of `loss` (rows in [0, 1]) is at most `alpha`.

    `always` is a loss that every row brings, answered or not; `always + loss` lies in [0, 1] too.

    `over` "answered": mean over the answered rows (wrong among the answered). "all": sum over the answered rows
    ÷ all rows (cost of answering per question). "silent": sum over the rows left unanswered ÷ all rows (with
    loss 1: share abstained).
    """

    name: str
    alpha: float
    loss: ArrayLike
    over: Over = "answered"
    always: ArrayLike | None = None


@dataclass(frozen=True)
class JointThreshold:
    """`threshold` is None where nothing is promised.

    `seen` holds each risk in the tested rows at the threshold that was looked at last, `limits` each α, `answered` the share of
    those rows at or above it (`coverage`: the same, 0 where nothing is promised).
    """

    threshold: float | None
    promised: bool
    delta: float
    n_labels: int
    coverage: float
    seen: Mapping[str, float]
    reason: str
    limits: Mapping[str, float] = field(default_factory=dict)
    answered: float = 0.0


def _sums(confidence: Floats, limit: RiskLimit, grid: Floats) -> tuple[Floats, Floats]:
    """Total loss and number of rows it is a mean over, at each threshold."""
    loss = np.asarray(limit.loss, np.float64)
    order = np.argsort(confidence, kind="stable")
    above = np.concatenate((np.cumsum(loss[order][::-1])[::-1], [0.0]))
    first = np.searchsorted(confidence[order], grid, "left")
    total = above[0] - above[first] if limit.over == "silent" else above[first]
    if limit.always is not None:
        total = total + float(np.sum(np.asarray(limit.always, np.float64)))
    rows = confidence.size - first if limit.over == "answered" else np.full(grid.size, confidence.size)
    return total, rows.astype(np.float64)


def bounded_loss_p_values(total: Floats, rows: Floats, alpha: float) -> Floats:
    """For "mean loss > α" with losses in [0, 1]: the lesser of Hoeffding's exp(−n kl(r, α)) and Bentkus's
    e · P(Binomial(n, α) <= ⌈total⌉).
    """
    from scipy import special

    whole = np.ceil(total - 1e-9)
    tail = np.where(whole >= rows, 1.0, special.bdtr(whole, np.maximum(rows, 1).astype(np.int64), alpha))
    rate = np.minimum(total / np.maximum(rows, 1.0), alpha)
    kl = special.rel_entr(rate, alpha) + special.rel_entr(1 - rate, 1 - alpha)
    return np.where(rows > 0, np.minimum(1.0, np.minimum(np.exp(-rows * kl), np.e * tail)), 1.0)


def _worst(confidence: Floats, limits: Sequence[RiskLimit], grid: Floats) -> Floats:
    from scipy import special

    worst = np.zeros(grid.size)
    for limit in limits:
        total, rows = _sums(confidence, limit, grid)
        loss = np.asarray(limit.loss, np.float64)
        binary = limit.always is None and bool(np.all((loss == 0) | (loss == 1)))
        exact = np.where(total >= rows, 1.0, special.bdtr(np.round(total), np.maximum(rows, 1).astype(int), limit.alpha))
        worst = np.maximum(worst, exact if binary else bounded_loss_p_values(total, rows, limit.alpha))
    return worst


def _place(confidence: Floats, limits: Sequence[RiskLimit], n_test: int) -> Floats:
    """Thresholds strict to lenient, from the one whose least safe promise looks safest for `n_test` rows."""
    grid = np.unique(np.append(np.quantile(confidence, np.linspace(0, 1, 100, endpoint=False), method="higher"), 0.0))[::-1]
    least = np.full(grid.size, np.inf)
    for limit in limits:
        total, rows = _sums(confidence, limit, grid)
        rate = (total + limit.alpha) / (rows + 1.0)
        spread = np.sqrt(np.maximum(rate * (1 - rate), 1e-12) / np.maximum(rows * n_test / confidence.size, 1.0))
        least = np.minimum(least, (limit.alpha - rate) / spread)
    return grid[int(np.argmax(least)) :]


def place_jointly(confidence: ArrayLike, limits: Sequence[RiskLimit], *, n_labels: int) -> tuple[float, ...]:
    """Thresholds in the order of testing, placed on rows held apart from the `n_labels` to be tested."""
    stated = _checked(confidence, limits)
    return tuple(float(t) for t in _place(stated, limits, n_labels))


def select_threshold_jointly(
    confidence: ArrayLike,
    limits: Sequence[RiskLimit],
    *,
    delta: float = 0.05,
    grid: Sequence[float] | None = None,
    seed: int = 0,
) -> JointThreshold:
    """The most lenient threshold at which all `limits` hold together with probability 1 − `delta` over the
    calibration draw.

    `grid` lists thresholds strict to lenient, fixed without these rows; without it a random fifth of the rows
    places it. 0/1 losses are tested by exact binomial tails, others in [0, 1] by Hoeffding's and Bentkus's
    bounds.
    """
    share(delta, "delta")
    stated = _checked(confidence, limits)
    tested: Bools = np.ones(stated.size, bool) if grid is not None else ~hold_apart(stated.size, seed=seed)
    if grid is None:
        thresholds = _place(stated[~tested], [_part(limit, ~tested) for limit in limits], int(tested.sum()))
    else:
        thresholds = probabilities(grid, "grid")
        if np.any(np.diff(thresholds) >= 0):
            raise InputError("grid: thresholds must fall strictly, from strict to lenient")
    stated, limits = stated[tested], [_part(limit, tested) for limit in limits]
    failed = np.flatnonzero(_worst(stated, limits, thresholds) > delta)
    accepted = int(failed[0]) if failed.size else thresholds.size
    return _joint(stated, limits, float(thresholds[max(accepted - 1, 0)]), accepted > 0, delta)


def _checked(confidence: ArrayLike, limits: Sequence[RiskLimit]) -> Floats:
    stated = probabilities(confidence, least=5)
    if not limits:
        raise InputError("limits: expected at least one RiskLimit")
    for limit in limits:
        name = f"loss of {limit.name!r}"
        share(limit.alpha, f"alpha of {limit.name!r}")
        loss = probabilities(limit.loss, name)
        if limit.always is not None:
            loss = probabilities(loss + probabilities(limit.always, name), name)
        same_length(("confidence", stated), (name, loss))
    return stated


def _part(limit: RiskLimit, rows: Bools) -> RiskLimit:
    always = None if limit.always is None else np.asarray(limit.always, np.float64)[rows]
    return replace(limit, loss=np.asarray(limit.loss, np.float64)[rows], always=always)


def _joint(stated: Floats, limits: Sequence[RiskLimit], t: float, promised: bool, delta: float) -> JointThreshold:
    seen = {}
    for limit in limits:
        total, rows = _sums(stated, limit, np.array([t]))
        seen[limit.name] = float(total[0] / max(rows[0], 1.0))
    answered, limited = float(np.mean(stated >= t)), {limit.name: limit.alpha for limit in limits}
    reason = joint_reason(promised, t, delta, stated.size, seen, limited)
    coverage = answered if promised else 0.0
    return JointThreshold(t if promised else None, promised, delta, stated.size, coverage, seen, reason, limited, answered)


def joint_reason(
    promised: bool, t: float, delta: float, n: int, seen: Mapping[str, float], limits: Mapping[str, float]
) -> str:
    """What was promised and what was seen, in one line."""
    listed = ", ".join(f"{name} {seen[name]:.3g} (limit {alpha:.3g})" for name, alpha in limits.items())
    reason = f"at confidence >= {t:.4g}, over {n} labels: {listed}"
    return f"all hold with probability {1 - delta:.4g}: {reason}" if promised else f"nothing promised: {reason}"
