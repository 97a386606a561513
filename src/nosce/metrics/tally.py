"""Rows gathered by level of confidence: one sort, and every ranking measure is arithmetic on the counts.

Ties are kept together, so no measure depends on the order in which rows happen to stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nosce.metrics.estimate import Bools, Floats

# A float in [0, 1] read as an unsigned integer keeps its order and leaves the two top bits free, so the pair
# (confidence, correct) packs without loss into one integer, and one plain sort of integers orders both.
_ONE_BIT = np.uint64(1)


@dataclass(frozen=True)
class Tally:
    """Distinct confidences, ascending, and at each how many rows there are and how many of them are right.

    Shapes: (levels,) each. `total` and `right` are float64 whole numbers, exact up to 2^53.
    """

    level: Floats
    total: Floats
    right: Floats

    @property
    def wrong(self) -> Floats:
        return self.total - self.right

    @property
    def n(self) -> float:
        return float(self.total.sum())

    @property
    def n_right(self) -> float:
        return float(self.right.sum())

    def descending(self) -> Tally:
        """The same, surest first."""
        return Tally(self.level[::-1], self.total[::-1], self.right[::-1])


def tally(confidence: Floats, right: Bools) -> Tally:
    """Counts by distinct confidence. O(n log n) by one sort; inputs are taken as checked."""
    packed = np.add(confidence, 0.0).view(np.uint64)  # adding zero turns −0.0 into 0.0, and copies
    packed <<= _ONE_BIT
    packed |= right
    packed.sort()
    flags = (packed & _ONE_BIT).astype(np.float64)
    packed >>= _ONE_BIT
    values = packed.view(np.float64)
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    if starts.size == values.size:
        return Tally(values, np.ones(values.size), flags)
    total = np.diff(np.append(starts, values.size)).astype(np.float64)
    return Tally(values[starts], total, np.add.reduceat(flags, starts))
