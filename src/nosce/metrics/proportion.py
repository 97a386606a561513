"""Shares of rows: exact and score intervals for a binomial proportion, and for the difference of two."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import share, truths
from nosce.metrics.estimate import Estimate, Interval, z_score


def _counts(successes: int, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"expected 0 <= successes <= n and n >= 1, got {successes} of {n}")


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval of a binomial share: it covers at least `level` whatever the true share is."""
    from scipy import special

    _counts(successes, n)
    tail = (1 - share(level, "level")) / 2
    low = 0.0 if successes == 0 else float(special.betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(special.betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval: covers `level` on average, narrower than the exact one."""
    _counts(successes, n)
    z = z_score(share(level, "level"))
    centre = (successes + z * z / 2) / (n + z * z)
    reach = z / (n + z * z) * np.sqrt(successes * (n - successes) / n + z * z / 4)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def binomial_upper_tail(errors: int, n: int, rate: float) -> float:
    """P(Binomial(n, rate) >= errors): small when errors are more than `rate` explains."""
    from scipy import special

    return 1.0 if errors <= 0 else float(special.betainc(errors, n - errors + 1, rate))


def binomial_lower_tail(errors: int, n: int, rate: float) -> float:
    """P(Binomial(n, rate) <= errors): small when errors are fewer than `rate` explains."""
    from scipy import special

    return 1.0 if errors >= n else float(special.betainc(n - errors, errors + 1, 1 - rate))


def proportion(successes: int, n: int, level: float = 0.95, exact: bool = True) -> Estimate:
    """A share with its Clopper–Pearson (or Wilson) interval."""
    interval = clopper_pearson(successes, n, level) if exact else wilson(successes, n, level)
    return Estimate(successes / n, interval, n, "Clopper-Pearson" if exact else "Wilson", level)


def accuracy(correct: ArrayLike, level: float = 0.95, exact: bool = True) -> Estimate:
    """Share of right rows, in [0, 1], higher is better; interval Clopper–Pearson, or Wilson with `exact=False`."""
    right = truths(correct)
    return proportion(int(np.count_nonzero(right)), right.size, level, exact)


def difference_of_proportions(first: tuple[int, int], second: tuple[int, int], level: float = 0.95) -> Estimate:
    """p1 − p2 of two independent samples given as (successes, n); interval by combining the two Wilson intervals."""
    _counts(*first)
    _counts(*second)
    p, q = first[0] / first[1], second[0] / second[1]
    (p_low, p_high), (q_low, q_high) = wilson(*first, level), wilson(*second, level)
    gap = p - q
    low = gap - float(np.hypot(p - p_low, q_high - q))
    high = gap + float(np.hypot(p_high - p, q - q_low))
    return Estimate(gap, (low, high), first[1] + second[1], "Newcombe", level)
