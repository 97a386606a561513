"""Monte Carlo dropout on a small network: many stochastic passes over scikit-learn's digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import CapabilityError

Floats = NDArray[np.float64]


def digit_passes(
    *, seed: int = 0, train: int = 400, passes: int = 15, hidden: int = 64, drop: float = 0.5, epochs: int = 20
) -> tuple[Floats, NDArray[np.int64]]:
    """Logits [passes, N, 10] with dropout left on, and labels [N], of the digits not trained on.

    A network 64 → hidden → 10 (ReLU, dropout before the last layer), cross-entropy, Adam. Deterministic in `seed`.
    Raises CapabilityError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise CapabilityError("scikit-learn's digits", "this installation", "pip install nosce[monitor]") from None
    rng = np.random.default_rng(seed)
    data = load_digits()
    order = rng.permutation(len(data.target))
    x, y = data.data[order] / 16.0, np.asarray(data.target[order], dtype=np.int64)
    net = fit(x[:train], y[:train], rng, hidden=hidden, drop=drop, epochs=epochs)
    return np.stack([_forward(net, x[train:], rng, drop)[1] for _ in range(passes)]), y[train:]


def fit(
    x: Floats,
    y: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    hidden: int,
    drop: float,
    epochs: int,
    rate: float = 0.01,
) -> list[Floats]:
    """Weights [w1, b1, w2, b2] after `epochs` of Adam on batches of 32."""
    inputs, classes = x.shape[1], int(y.max()) + 1
    net = [rng.normal(0, np.sqrt(2 / inputs), (inputs, hidden)), np.zeros(hidden),
           rng.normal(0, np.sqrt(1 / hidden), (hidden, classes)), np.zeros(classes)]  # fmt: skip
    first, second, step = [np.zeros_like(w) for w in net], [np.zeros_like(w) for w in net], 0
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), max(1, len(x) // 32)):
            step += 1
            for i, g in enumerate(_gradient(net, x[rows], y[rows], rng, drop)):
                first[i] = 0.9 * first[i] + 0.1 * g
                second[i] = 0.999 * second[i] + 0.001 * g * g
                net[i] -= rate * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
    return net


def _forward(net: list[Floats], x: Floats, rng: np.random.Generator, drop: float) -> tuple[Floats, Floats]:
    """(hidden after dropout [N, hidden], logits [N, classes])."""
    active = np.maximum(x @ net[0] + net[1], 0)
    active *= (rng.random(active.shape) >= drop) / (1 - drop)
    return active, active @ net[2] + net[3]


def _gradient(net: list[Floats], x: Floats, y: NDArray[np.int64], rng: np.random.Generator, drop: float) -> list[Floats]:
    active, logits = _forward(net, x, rng, drop)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    p /= len(y)
    back = (p @ net[2].T) * (active > 0) / (1 - drop)
    return [x.T @ back, back.sum(axis=0), active.T @ p, p.sum(axis=0)]
