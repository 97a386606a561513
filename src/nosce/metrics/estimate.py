"""What every measure returns: a number, its interval, and how many rows stand behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A measured value with its two-sided interval.

    `value` and `interval` share one unit; `interval` is (low, high) at confidence `level`, and `method` says how it was
    found. `n` counts the rows. `extras` holds what else the measure yields, under the names in its docstring.
    """

    value: float
    interval: Interval
    n: int
    method: str = ""
    level: float = 0.95
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.extras[name]

    def to_dict(self) -> dict[str, Any]:
        """Value, interval and where they come from as plain data; the extras that are plain numbers or words join them."""
        plain = {name: x for name, x in self.extras.items() if isinstance(x, int | float | str)}
        low, high = self.interval
        return {"value": self.value, "interval": [low, high], "n": self.n, "method": self.method, "level": self.level, **plain}

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.interval[0]:.4g}, {self.interval[1]:.4g}] (n={self.n})"


def z_score(level: float) -> float:
    """The two-sided normal quantile: 1.96 at level 0.95."""
    from scipy import special

    return float(special.ndtri(0.5 + level / 2))


def normal_interval(value: float, error: float, level: float, bounds: Interval = (-np.inf, np.inf)) -> Interval:
    """`value` ± z · `error`, cut to `bounds`."""
    reach = z_score(level) * error
    return max(bounds[0], value - reach), min(bounds[1], value + reach)


def influence_error(influence: Floats, clusters: Integers | None = None) -> float:
    """Standard error of a mean-like statistic from the influence of each row, summed within clusters where given.

    Rule: sqrt(Σ_g (Σ_{i in g} ψ_i)²) / n, times sqrt(G / (G − 1)) for G groups; rows are their own groups by default.
    """
    n = influence.size
    sums = influence if clusters is None else np.bincount(clusters, weights=influence)
    groups = max(sums.size, 2)
    return float(np.sqrt(np.dot(sums, sums) * groups / (groups - 1)) / n)


def weighted_influence_error(influence: Floats, counts: Floats) -> float:
    """The same where `counts[j]` rows share the influence `influence[j]`."""
    n = counts.sum()
    return float(np.sqrt(np.dot(counts, influence**2) * n / max(n - 1, 1)) / n)
