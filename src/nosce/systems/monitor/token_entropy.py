"""How widely each next-token distribution is spread."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import NOT_NEGATIVE, measure
from nosce.monitor.statistics import Floats, Statistics, plogp


@measure("mean-token-entropy", needs={"entropies"}, uncertainty=NOT_NEGATIVE)
def mean_token_entropy(stats: Statistics) -> float:
    """Mean entropy of the next-token distributions, in nats.

    An uncertainty in [0, ∞). Over the whole vocabulary where the model gives entropies, else over the alternatives made to
    sum to 1. lm-polygraph's MeanTokenEntropy.
    """
    return float(stats.entropies.mean())


@measure("max-token-entropy", needs={"entropies"}, uncertainty=NOT_NEGATIVE)
def max_token_entropy(stats: Statistics) -> float:
    """Entropy of the most uncertain token, in nats.

    An uncertainty in [0, ∞); over what, see `mean-token-entropy`.
    """
    return float(stats.entropies.max())


@measure("mean-token-negentropy", needs={"top"})
def mean_token_negentropy(stats: Statistics) -> float:
    """Mean of 1 − H/log k over tokens, H the entropy of the k alternatives made to sum to 1.

    In [0, 1], higher is surer. uqlm's mean_token_negentropy.
    """
    return float(_negentropies(stats).mean())


@measure("min-token-negentropy", needs={"top"})
def min_token_negentropy(stats: Statistics) -> float:
    """1 − H/log k of the most uncertain token, H the entropy of the k alternatives made to sum to 1.

    In [0, 1], higher is surer. uqlm's min_token_negentropy.
    """
    return float(_negentropies(stats).min())


def _negentropies(stats: Statistics) -> Floats:
    return np.asarray(1 - plogp(stats.likely) / np.log(stats.top.shape[1]))
