"""Proper scores of a stated probability: Brier with its decomposition, and the logarithmic score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.bins import equal_width_bins, gather
from nosce.metrics.checks import cluster_codes, scored, share
from nosce.metrics.estimate import Estimate, Floats, Interval, influence_error, normal_interval
from nosce.metrics.tally import tally


def _mean(rows: Floats, clusters: ArrayLike | None, level: float, bounds: Interval) -> Estimate:
    value = float(rows.mean())
    error = influence_error(rows - value, cluster_codes(clusters, rows.size))
    return Estimate(value, normal_interval(value, error, level, bounds), rows.size, "normal", level)


def brier(confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Mean of (confidence − correct)², in [0, 1], lower is better. The interval is normal, by cluster where given."""
    stated, right = scored(confidence, correct, least=2)
    gap = stated - right
    return _mean(np.square(gap, out=gap), clusters, level, (0.0, 1.0))


def log_score(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    floor: float = 1e-12,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """Mean of −ln of the probability given to what happened, in nats, lower is better.

    Probabilities are cut to [floor, 1 − floor], since one certain error would be infinite; `extras["cut"]` counts the
    rows that were on the wrong side of certainty.
    """
    stated, right = scored(confidence, correct, least=2)
    share(floor, "floor")
    given = np.where(right, stated, 1.0 - stated)
    mean = _mean(-np.log(np.clip(given, floor, 1.0 - floor)), clusters, level, (0.0, np.inf))
    return Estimate(mean.value, mean.interval, mean.n, mean.method, level, {"cut": int(np.sum(given < floor))})


def murphy_decomposition(confidence: ArrayLike, correct: ArrayLike, *, bins: int | None = None, level: float = 0.95) -> Estimate:
    """Brier = reliability − resolution + uncertainty (+ within, when bins join different confidences).

    Groups are the distinct confidences, or `bins` equal widths of [0, 1]. With group shares w, mean confidence
    f, accuracy o and overall accuracy ō: reliability Σ w (f − o)² (lower is better), resolution Σ w (o − ō)²
    (higher is better), uncertainty ō (1 − ō) (the task's), within Σ of in-group variance of confidence − 2 ·
    covariance with correctness. The value is the Brier score; the parts are in `extras`, and sum to it exactly.
    """
    whole = brier(confidence, correct, level=level)
    stated, right = scored(confidence, correct)
    if bins is None:
        rows = tally(stated, right)
        count, forecast, observed = rows.total, rows.level, rows.right / rows.total
    else:
        table = gather(stated, right, equal_width_bins(stated, bins), bins)
        count, forecast, observed = table.count, table.confidence, table.accuracy
    weight, base = count / stated.size, float(right.mean())
    parts = {
        "reliability": float(weight @ (forecast - observed) ** 2),
        "resolution": float(weight @ (observed - base) ** 2),
        "uncertainty": base * (1 - base),
    }
    parts["within"] = whole.value - parts["reliability"] + parts["resolution"] - parts["uncertainty"]
    return Estimate(whole.value, whole.interval, whole.n, whole.method, level, parts)


def brier_skill(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """1 − Brier / (ō (1 − ō)): 1 is perfect, 0 is what always stating the base rate earns."""
    stated, right = scored(confidence, correct, least=2)
    base = float(right.mean())
    uncertainty = base * (1 - base)
    if uncertainty == 0.0:
        raise InputError("brier_skill: all rows are right or all wrong, so the base rate is already a perfect forecast")
    loss = (stated - right) ** 2
    value = 1.0 - float(loss.mean()) / uncertainty
    # delta method on the ratio of the mean loss and the variance of correctness
    influence = -(loss - loss.mean()) / uncertainty + (1 - value) / uncertainty * (1 - 2 * base) * (right - base)
    error = influence_error(influence)
    return Estimate(value, normal_interval(value, error, level, (-np.inf, 1.0)), right.size, "normal", level)
