"""Local confidence along a thought: where the alternatives were unlikely, it was sure; its weakest stretch tells most.

A token's confidence is −mean_j log p(j) over its k alternatives; a group's is the mean over `window` tokens in a row.
A shorter attempt is one group. Not negative and without a bound, so the signals are its negative: uncertainties in (−∞, 0].
"""

from __future__ import annotations

from math import inf

import numpy as np

from nosce.core.errors import InputError
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Floats, Statistics


@measure("mean-confidence", needs={"top"}, uncertainty=(-inf, 0.0))
def mean_confidence(stats: Statistics) -> float:
    """Minus the mean token confidence of the attempt (DeepConf's average trace confidence).

    An uncertainty in (−∞, 0].
    """
    return -float(_tokens(stats).mean())


@measure("tail-confidence", needs={"top"}, uncertainty=(-inf, 0.0))
def tail_confidence(stats: Statistics, *, window: int = 16) -> float:
    """Minus the mean token confidence of the last `window` tokens (DeepConf's tail confidence).

    An uncertainty in (−∞, 0]. For traces of thousands of tokens DeepConf takes 2048.
    """
    return -float(_tokens(stats)[-_at_least_one(window) :].mean())


@measure("lowest-group-confidence", needs={"top"}, uncertainty=(-inf, 0.0))
def lowest_group_confidence(stats: Statistics, *, window: int = 16) -> float:
    """Minus the confidence of the least sure group of `window` tokens in a row (DeepConf's lowest group confidence).

    An uncertainty in (−∞, 0].
    """
    return -float(_groups(stats, window).min())


@measure("bottom-group-confidence", needs={"top"}, uncertainty=(-inf, 0.0))
def bottom_group_confidence(stats: Statistics, *, window: int = 16, share: float = 0.1) -> float:
    """Minus the mean confidence of the least sure `share` of the groups (DeepConf's bottom-10% group confidence).

    An uncertainty in (−∞, 0].
    """
    groups = np.sort(_groups(stats, window))
    return -float(groups[: max(1, int(share * len(groups)))].mean())


def _tokens(stats: Statistics) -> Floats:
    """Confidence of each token [T]."""
    seen = np.isfinite(stats.top)
    return np.asarray(-np.where(seen, np.minimum(stats.top, 0.0), 0.0).sum(axis=1) / seen.sum(axis=1))


def _groups(stats: Statistics, window: int) -> Floats:
    """Confidence of every run of `window` tokens."""
    tokens, size = _tokens(stats), _at_least_one(window)
    if len(tokens) <= size:
        return np.array([tokens.mean()])
    sums = np.concatenate([[0.0], np.cumsum(tokens)])
    return np.asarray((sums[size:] - sums[:-size]) / size)


def _at_least_one(window: int) -> int:
    if window < 1:
        raise InputError(f"window={window}; expected at least 1 token")
    return window
