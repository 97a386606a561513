"""Where a ladder must stop so that a risk is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nosce.control.ladder import Table
from nosce.control.risk import labels_needed, threshold_grid
from nosce.metrics.estimate import Floats


@dataclass(frozen=True)
class LadderPromise:
    """Where to stop so that at most `alpha` of the answered are wrong, or why that cannot be promised (`enough` None)."""

    alpha: float
    enough: float | None
    answered: int
    wrong: int
    labels: int
    reason: str


def promise(table: Table, rungs: Sequence[str], placed: Table, *, alpha: float, delta: float = 0.05) -> LadderPromise:
    """The most lenient stopping point that keeps the risk with probability 1 − delta over the draw of `table`'s questions.

    Learn-then-Test with fixed-sequence testing and exact binomial tails. At a stopping point t a question is answered when
    some rung reaches P(right) >= t, by the first that does, and withheld otherwise. The order of testing (strict to
    lenient) is placed on other questions, `placed`.
    """
    from scipy import special

    n, needed = len(table.tokens), labels_needed(alpha, delta)
    surest, right = _surest(placed, rungs)
    grid = threshold_grid(np.clip(surest, 0, 1), right, alpha=alpha, delta=delta, n_labels=n)
    kept: tuple[float, int, int] | None = None
    seen = (0, 0)
    for point in grid:
        answered, wrong = _answered(table, rungs, point)
        seen = (answered, wrong)
        if answered == 0 or wrong >= answered or special.bdtr(wrong, answered, alpha) > delta:
            break
        kept = (point, answered, wrong)
    if kept is None:
        reason = (
            f"nothing promised: {seen[1]} of {seen[0]} answered labels are wrong, and {alpha:g} needs at least {needed}, all right"
        )
        return LadderPromise(alpha, None, *seen, n, reason)
    reason = f"at most {alpha:g} wrong among the answered, with probability {1 - delta:g}, if questions stay like the labelled ones"
    return LadderPromise(alpha, kept[0], kept[1], kept[2], n, reason)


def _surest(table: Table, rungs: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    columns = table.columns(rungs)
    best = table.probability[:, columns].argmax(1)
    rows = np.arange(len(best))
    return table.probability[:, columns][rows, best], table.right[:, columns][rows, best] >= 0.5


def _answered(table: Table, rungs: Sequence[str], enough: float) -> tuple[int, int]:
    """How many are answered at this stopping point, and how many of those are wrong."""
    columns = table.columns(rungs)
    reached = (table.probability[:, columns] >= enough).any(1)
    right, _ = table.play(rungs, enough)
    return int(reached.sum()), int((reached & (right < 0.5)).sum())
