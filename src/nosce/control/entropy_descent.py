"""A corrective vector on the final hidden state, trained at test time in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


def corrected_loss(
    delta: Floats, head: Floats, states: Floats, targets: NDArray[np.int64], here: Floats, weight: float
) -> tuple[float, Floats]:
    """L(δ) = (1 − λ) · mean_i CE(W(f_i + δ), y_i) + λ · H(softmax W(f + δ)), and its gradient [d].

    head W [V, d]; states f_i [t, d] with the tokens y_i [t] that followed them; here f [d], the position to be corrected;
    weight λ in [0, 1]. Gradients: ∂CE_i/∂δ = Wᵀ(p_i − e_{y_i}); ∂H/∂δ = −Wᵀ(p ∘ (log p + H)). Nats.
    """
    log_p = special.log_softmax((here + delta) @ head.T)
    p = np.exp(log_p)
    entropy = float(-(p @ log_p))
    value, slope = weight * entropy, -weight * (p * (log_p + entropy)) @ head
    if len(targets):
        logits = special.log_softmax((states + delta) @ head.T, axis=-1)
        rows = np.arange(len(targets))
        error = np.exp(logits)
        value -= (1 - weight) * float(logits[rows, targets].mean())
        error[rows, targets] -= 1
        slope = slope + (1 - weight) * (error.mean(axis=0) @ head)
    return value, slope


def descend(
    head: Floats, states: Floats, targets: NDArray[np.int64], here: Floats, *, weight: float, rate: float, steps: int,
    decay: float = 0.01,
) -> Floats:  # fmt: skip
    """δ [d] after `steps` of AdamW (β = .9, .999; decoupled weight decay) on `corrected_loss` from δ = 0."""
    delta, first, second = np.zeros_like(here), np.zeros_like(here), np.zeros_like(here)
    for step in range(1, steps + 1):
        _, slope = corrected_loss(delta, head, states, targets, here, weight)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope * slope
        delta = delta * (1 - rate * decay)
        delta = delta - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return delta
