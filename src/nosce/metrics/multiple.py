"""Many tests at once: Holm within a comparison, Benjamini–Hochberg across a ledger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.metrics.checks import probabilities, share
from nosce.metrics.estimate import Bools, Floats


@dataclass(frozen=True)
class Verdicts:
    """Adjusted p-values in the order given, and which hypotheses are rejected at `alpha`."""

    adjusted: Floats
    rejected: Bools
    alpha: float


def holm(p_values: ArrayLike, alpha: float = 0.05) -> Verdicts:
    """Holm's step-down: the chance of even one false rejection is at most `alpha`, whatever the dependence.

    Adjusted p of the i-th smallest (i = 1 … m): max over j <= i of (m − j + 1) p_(j), cut at 1.
    """
    p = probabilities(p_values, "p_values")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return _verdicts(stepped, order, alpha)


def benjamini_hochberg(p_values: ArrayLike, alpha: float = 0.05) -> Verdicts:
    """Benjamini–Hochberg's step-up: the expected share of false ones among the rejected is at most `alpha`.

    Holds for independent or positively dependent tests. Adjusted p of the i-th smallest: min over j >= i of
    m p_(j) / j.
    """
    p = probabilities(p_values, "p_values")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    return _verdicts(np.minimum.accumulate(scaled[::-1])[::-1], order, alpha)


def _verdicts(stepped: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]], alpha: float) -> Verdicts:
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return Verdicts(adjusted, adjusted <= share(alpha, "alpha"), alpha)
