"""When enough votes are in: posterior rules over vote counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special


def beta_majority(top: float, second: float) -> float:
    """P(p > ½) for the leader against the runner-up, uniform prior.

    Rule: p | votes ~ Beta(top + 1, second + 1), so the value is 1 − I_½(top + 1, second + 1). In [0, 1]; top = second gives ½.
    """
    return float(special.betaincc(top + 1, second + 1, 0.5))


def dirichlet_majority(counts: Sequence[float], nodes: int = 400) -> float:
    """P(the leader's probability is the largest) over all answers seen, uniform Dirichlet prior.

    counts: votes of each answer, in any order. Rule: with g_i ~ Gamma(n_i + 1) independent, p_i = g_i / Σg, so the value is
    ∫ f_1(x) Π_{i>1} F_i(x) dx, computed on quantiles of g_1 (a midpoint rule with `nodes` nodes). A single answer gives 1.
    """
    ordered = sorted(counts, reverse=True)
    quantiles = (np.arange(nodes) + 0.5) / nodes
    x = special.gammaincinv(ordered[0] + 1, quantiles)
    below = np.ones(nodes)
    for count in ordered[1:]:
        below *= special.gammainc(count + 1, x)
    return float(below.mean())
