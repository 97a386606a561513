"""Does what is said match what is measured? The certainty that the wording gives a reader, against the certainty that repeated
sampling shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.metrics.bins import equal_width_bins
from nosce.metrics.checks import probabilities, same_length
from nosce.metrics.estimate import Estimate, Floats, influence_error, normal_interval


def faithfulness(expressed: ArrayLike, intrinsic: ArrayLike, *, level: float = 0.95) -> Estimate:
    """1 − mean |expressed − intrinsic|, in [0, 1], higher is better; `extras["bias"]` = mean of expressed − intrinsic.

    `expressed`: the certainty in the wording (1 for a plain statement); `intrinsic`: the share of fresh samples that do not
    contradict the answer. Rows are answers that were given: silence asserts nothing. Source: S161 "Hallucinations Undermine
    Trust; Metacognition is a Way Forward" (formula as in the field).
    """
    said, measured = _pair(expressed, intrinsic)
    rows = 1 - np.abs(said - measured)
    value = float(rows.mean())
    interval = normal_interval(value, influence_error(rows - value), level, (0.0, 1.0))
    return Estimate(value, interval, rows.size, "normal", level, {"bias": float((said - measured).mean())})


def conditional_faithfulness(expressed: ArrayLike, intrinsic: ArrayLike, *, bins: int = 10, level: float = 0.95) -> Estimate:
    """Faithfulness averaged over equally wide levels of intrinsic certainty, each that occurs weighing the same (cMFG), in [0, 1].

    A model that is nearly always certain gains nothing by always sounding so: always saying the same scores about one half
    where every level occurs. The interval is normal, levels taken as fixed.
    """
    said, measured = _pair(expressed, intrinsic)
    weights = level_weights(measured, bins)
    rows = 1 - np.abs(said - measured)
    value = float(np.mean(weights * rows))
    index = equal_width_bins(measured, bins)
    means = np.array([rows[index == b].mean() if np.any(index == b) else 0.0 for b in range(bins)])
    error = influence_error(weights * (rows - means[index]))
    return Estimate(value, normal_interval(value, error, level, (0.0, 1.0)), rows.size, "normal", level)


def level_weights(intrinsic: ArrayLike, bins: int = 10) -> Floats:
    """A weight for each row so that the weighted mean is the mean over occurring levels of the mean within each; mean weight 1."""
    measured = probabilities(intrinsic, "intrinsic")
    index = equal_width_bins(measured, bins)
    count = np.bincount(index, minlength=bins).astype(np.float64)
    weights: Floats = measured.size / (np.count_nonzero(count) * count[index])
    return weights


def _pair(expressed: ArrayLike, intrinsic: ArrayLike) -> tuple[Floats, Floats]:
    said, measured = probabilities(expressed, "expressed", 2), probabilities(intrinsic, "intrinsic", 2)
    same_length(("expressed", said), ("intrinsic", measured))
    return said, measured
