"""How sharp a distribution over answers is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special


def sharpness(probabilities: ArrayLike) -> NDArray[np.float64]:
    """SP = 1 − H(p) / log K over the last axis [..., K], in [0, 1]; 1 is a point mass, 0 uniform. K = 1 gives 1."""
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape[-1] == 1:
        return np.ones(p.shape[:-1])
    entropy = special.entr(p).sum(axis=-1)
    return np.asarray(np.clip(1 - entropy / np.log(p.shape[-1]), 0, 1), dtype=np.float64)


def votes_sharpness(votes: Sequence[int]) -> float:
    """SP of votes per answer: entropy of the shares over log of the number of draws, the most it can be.

    One draw tells nothing: 0. All draws alike: 1. All different: 0.
    """
    total = sum(votes)
    if total < 2:
        return 0.0
    shares = np.asarray([vote for vote in votes if vote], dtype=np.float64) / total
    return float(np.clip(1 - special.entr(shares).sum() / np.log(total), 0, 1))
