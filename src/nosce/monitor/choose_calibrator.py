"""Which kind of calibrator suits these rows: the one that gives the truth the most probability on rows it did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import cluster_codes, scored
from nosce.metrics.estimate import Bools, Floats, Integers
from nosce.metrics.scores import log_score
from nosce.monitor.calibrators import calibrator_kinds, fit_calibrator

FLOOR = 0.001


@dataclass(frozen=True)
class Choice:
    """The `kind` that was chosen, and every kind's log score over the held-out folds (lower is better)."""

    kind: str
    log_score: Mapping[str, float]


def choose_calibrator(
    confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, folds: int = 5, seed: int = 0
) -> Choice:
    """The kind of least cross-validated log score; within one part in a hundred of it, the one with the fewest parameters.

    Probabilities are cut to [0.001, 0.999], so that certainty is dear where it is wrong, but one row does not decide alone.
    Rows of one cluster (the same question) fall into one fold. A kind that cannot be fitted on some fold is left out.
    """
    stated, right = scored(confidence, correct, least=folds)
    codes = cluster_codes(clusters, right.size)
    names: Integers = np.arange(right.size, dtype=np.int64) if codes is None else codes
    fold: Integers = np.random.default_rng(seed).permutation(int(names.max()) + 1)[names] % folds
    found = {kind: _held_out(kind, stated, right, fold) for kind in calibrator_kinds()}
    losses = {kind: loss for kind, loss in found.items() if loss is not None}
    least = min(losses.values())
    return Choice(next(kind for kind, loss in losses.items() if loss <= least * 1.01), losses)


def _held_out(kind: str, stated: Floats, right: Bools, fold: Integers) -> float | None:
    given = np.zeros(right.size)
    for part in np.unique(fold):
        rest, held = fold != part, fold == part
        try:
            fitted = fit_calibrator(kind, stated[rest], right[rest])
        except InputError:
            return None
        given[held] = fitted.transform(stated[held])
    return log_score(given, right, floor=FLOOR).value
