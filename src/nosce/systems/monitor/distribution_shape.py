"""How far each next-token distribution is from saying nothing: distances from the uniform one, and margins.

All are over the alternatives that the model gives, made to sum to 1; that is the vocabulary where it gives all of it.
"""

from __future__ import annotations

from math import inf, log

import numpy as np

from nosce.core.errors import InputError
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Floats, Statistics


@measure("self-certainty", needs={"top"}, uncertainty=(-inf, 0.0))
def self_certainty(stats: Statistics) -> float:
    """Minus the mean divergence of the next-token distribution from the uniform one, −mean_t KL(U‖p_t).

    An uncertainty in (−∞, 0]. KL(U‖p) = −mean_v log p(v) − log k. lm-polygraph's SelfCertainty over the same alternatives.
    """
    seen = stats.likely > 0
    logs = np.log(np.where(seen, stats.likely, 1.0)).sum(axis=1) / seen.sum(axis=1)
    return float(np.mean(logs + np.log(seen.sum(axis=1))))


@measure("probability-margin", needs={"top"})
def probability_margin(stats: Statistics) -> float:
    """Mean gap between the two likeliest alternatives of each token.

    In [0, 1], higher is surer. uqlm's probability_margin.
    """
    best = np.exp(np.minimum(stats.top[:, :2], 0.0))
    return float((best[:, 0] - best[:, 1]).mean())


def _widest(stats: Statistics) -> tuple[float, float]:
    return -log(max(2, stats.top.shape[1])), 0.0


@measure("renyi-divergence", needs={"top"}, uncertainty=_widest)
def renyi_divergence(stats: Statistics, *, alpha: float = 0.5, temperature: float = 2.0) -> float:
    """Minus the mean Rényi divergence of the next-token distribution from the uniform one, −mean_t D_α(p_t‖U).

    D_α(p‖U) = log k + log(Σ p^α)/(α − 1), Kullback–Leibler at α = 1; p at `temperature`. An uncertainty in [−log k, 0]: a
    distribution close to uniform has the least divergence. lm-polygraph's RenyiNeg is D_α − 2 log k and grows with certainty.
    """
    if alpha <= 0 or temperature <= 0:
        raise InputError(f"renyi-divergence: alpha={alpha}, temperature={temperature}; expected both above 0")
    p, k = _tempered(stats, temperature), stats.top.shape[1]
    if alpha == 1:
        return float(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1).mean() - log(k))
    return float(-(np.log((p**alpha).sum(axis=1)) / (alpha - 1) + log(k)).mean())


@measure("fisher-rao", needs={"top"})
def fisher_rao(stats: Statistics, *, temperature: float = 2.0) -> float:
    """Mean Fisher–Rao distance of the next-token distribution from the uniform one, 2/π · arccos Σ √(p/k).

    In [0, 1), higher is surer; p at `temperature`. lm-polygraph's FisherRao has the same value and calls it uncertainty.
    """
    p, k = _tempered(stats, temperature), stats.top.shape[1]
    return float((2 / np.pi * np.arccos(np.minimum(1.0, np.sqrt(p / k).sum(axis=1)))).mean())


def _tempered(stats: Statistics, temperature: float) -> Floats:
    """The alternatives' probabilities [T, k] at a temperature."""
    p = np.exp((stats.top - stats.top[:, :1]) / temperature)
    return np.asarray(p / p.sum(axis=1, keepdims=True))
