"""Directions in the residual stream that go with uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from nosce.core.errors import InputError

Floats = NDArray[np.float64]


def vote_entropy(votes: Sequence[int]) -> float:
    """Entropy of the shares of votes, in nats."""
    shares = np.asarray(votes, dtype=np.float64)
    return float(special.entr(shares / shares.sum()).sum()) if len(votes) else 0.0


def entropy_direction(states: ArrayLike, entropies: ArrayLike) -> Floats:
    """v [d] = Σ w_i h_i − mean_i h_i over states h [N, d] brought to unit length, w_i = H_i / ΣH; as long as a mean state.

    Points from where decisions are usual to where they are uncertain. Raises InputError when no entropy differs from the
    rest (there is no direction then).
    """
    h, entropy = np.asarray(states, dtype=np.float64), np.asarray(entropies, dtype=np.float64)
    if h.ndim != 2 or len(h) != len(entropy) or np.ptp(entropy) < 1e-12:
        raise InputError(f"steering: states {h.shape}, entropies {entropy.shape}: expected [N, d] and [N] that differ")
    length = np.linalg.norm(h, axis=1)
    unit = h / length[:, None]
    found = (entropy / entropy.sum()) @ unit - unit.mean(axis=0)
    return np.asarray(found / np.linalg.norm(found) * length.mean(), dtype=np.float64)
