"""Gaussians of hidden states: how far a state lies from them, and the direction that tells two apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nosce.core.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """N(mean, Σ) with Σ known along its principal axes alone: `axes` [r, d] and their variances [r]."""

    mean: Floats
    axes: Floats
    variances: Floats

    @classmethod
    def fit(cls, states: ArrayLike, *, most: int = 64, shrink: float = 0.1) -> Gaussian:
        """From states [N, d]: the axes of largest variance, at most `most` and a quarter of N.

        Variances are drawn towards their mean by `shrink`, since the small ones of few states are too small. Raises InputError
        for fewer than 8 states.
        """
        x = np.asarray(states, dtype=np.float64)
        if x.ndim != 2 or len(x) < 8:
            raise InputError(f"a Gaussian of states {x.shape}: expected [N, d] with N ≥ 8")
        mean = x.mean(axis=0)
        _, singular, axes = np.linalg.svd(x - mean, full_matrices=False)
        kept = max(1, min(most, len(x) // 4, int((singular > 1e-9 * singular[0]).sum())))
        variances = singular[:kept] ** 2 / (len(x) - 1)
        return cls(mean, axes[:kept], (1 - shrink) * variances + shrink * variances.mean())

    def distance(self, states: ArrayLike) -> Floats:
        """Mahalanobis distance √((x − μ)ᵀ Σ⁻¹ (x − μ)) [...] of states [..., d], within the axes."""
        along = (np.asarray(states, dtype=np.float64) - self.mean) @ self.axes.T
        return np.asarray(np.sqrt((along**2 / self.variances).sum(axis=-1)))

    def to_data(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {name: np.round(getattr(self, name), 7).tolist() for name in ("mean", "axes", "variances")}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Gaussian:
        """The inverse of `to_data`."""
        mean, axes, variances = (np.asarray(data[name], dtype=np.float64) for name in ("mean", "axes", "variances"))
        return cls(mean, axes, np.maximum(variances, 1e-7))


@dataclass(frozen=True, slots=True)
class MassMean:
    """P = σ(θᵀ Σ⁻¹ (x − m) + log(n₊/n₋)): θ the difference of the two means, m their midpoint, Σ the covariance within."""

    weights: Floats
    bias: float

    @classmethod
    def fit(cls, states: ArrayLike, right: ArrayLike, *, shrink: float = 0.1) -> MassMean:
        """From states [N, d] and rightness [N], in closed form; Σ as a Gaussian of the centred states.

        Raises InputError where one of the two kinds is missing.
        """
        x, y = np.asarray(states, dtype=np.float64), np.asarray(right, dtype=bool)
        if len(x) != len(y) or y.all() or not y.any():
            raise InputError(f"mass-mean probe: {len(y)} labels, {int(y.sum())} of them right; expected right and wrong ones")
        high, low = x[y].mean(axis=0), x[~y].mean(axis=0)
        within = Gaussian.fit(x - np.where(y[:, None], high, low), shrink=shrink)
        weights = ((high - low) @ within.axes.T / within.variances) @ within.axes
        return cls(weights, float(np.log(y.sum() / (~y).sum()) - weights @ (high + low) / 2))

    def predict(self, states: ArrayLike) -> Floats:
        """P [...] for states [..., d]."""
        from scipy import special

        return np.asarray(special.expit(np.asarray(states, dtype=np.float64) @ self.weights + self.bias), dtype=np.float64)

    def to_data(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {"weights": np.round(self.weights, 9).tolist(), "bias": self.bias}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> MassMean:
        """The inverse of `to_data`."""
        return cls(np.asarray(data["weights"], dtype=np.float64), float(data["bias"]))
