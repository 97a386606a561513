"""A logistic probe on hidden states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from nosce.core.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Probe:
    """P = σ(w · (x − mean)/scale + b) of a hidden state x [d] of one layer."""

    layer: int
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float

    @classmethod
    def fit(cls, states: ArrayLike, rates: ArrayLike, *, layer: int = 0, l2: float = 0.1) -> Probe:
        """Least Σ cross-entropy(rate_i, P_i)/N + l2/2 · |w|²/d over states [N, d] and rates [N] in [0, 1]; convex.

        Raises InputError for fewer than two rows or rates outside [0, 1].
        """
        x, y = np.asarray(states, dtype=np.float64), np.asarray(rates, dtype=np.float64)
        if x.ndim != 2 or len(x) != len(y) or len(y) < 2 or y.min() < 0 or y.max() > 1:
            raise InputError(f"probe: states {x.shape} and rates {y.shape}; expected [N, d] and [N] in [0, 1], N ≥ 2")
        mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
        z = (x - mean) / scale
        from scipy import optimize  # slow to import, and only fitting needs it

        found = optimize.minimize(_loss, np.zeros(z.shape[1] + 1), (z, y, l2), jac=True, method="L-BFGS-B")
        return cls(layer, mean, scale, found.x[:-1], float(found.x[-1]))

    def predict(self, states: ArrayLike) -> Floats:
        """P [...] for states [..., d]."""
        z = (np.asarray(states, dtype=np.float64) - self.mean) / self.scale
        return np.asarray(special.expit(z @ self.weights + self.bias), dtype=np.float64)

    def to_data(self) -> dict[str, Any]:
        """Plain JSON data."""
        arrays = {name: np.round(getattr(self, name), 7).tolist() for name in ("mean", "scale", "weights")}
        return {"layer": self.layer, "bias": self.bias, **arrays}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Probe:
        """The inverse of `to_data`."""
        mean, scale, weights = (np.asarray(data[name], dtype=np.float64) for name in ("mean", "scale", "weights"))
        return cls(int(data["layer"]), mean, scale, weights, float(data["bias"]))


def best_layer(states: ArrayLike, rates: ArrayLike, *, l2: float = 0.1, seed: int = 0) -> int:
    """The layer of states [N, layers, d] whose probe, fitted on four fifths, has the least log loss on the last fifth."""
    x, y = np.asarray(states, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    order = np.random.default_rng(seed).permutation(len(y))
    held, kept = order[: max(1, len(y) // 5)], order[max(1, len(y) // 5) :]

    def loss(layer: int) -> float:
        p = Probe.fit(x[kept, layer], y[kept], l2=l2).predict(x[held, layer])
        return float(np.mean(special.xlogy(y[held], 1 / p) + special.xlogy(1 - y[held], 1 / (1 - p))))

    return min(range(x.shape[1]), key=loss)


def _loss(parameters: Floats, z: Floats, y: Floats, l2: float) -> tuple[float, Floats]:
    """Value and gradient [d + 1]."""
    weights, bias = parameters[:-1], parameters[-1]
    score = z @ weights + bias
    gap = (special.expit(score) - y) / len(y)
    value = float(np.mean(np.logaddexp(0, score) - y * score)) + l2 / 2 * float(weights @ weights) / len(weights)
    return value, np.append(z.T @ gap + l2 * weights / len(weights), gap.sum())
