"""A logistic regression whose penalty is chosen by cross-validation, with what it says of rows it was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from nosce.core.errors import InputError
from nosce.inside.probe import Probe
from nosce.metrics.estimate import Bools, Floats, Integers

PENALTIES = (0.3, 3.0, 30.0, 300.0)


@dataclass(frozen=True)
class Fitted:
    """The regression on all rows, its penalty, and `held_out` [n]: each row's probability by a fit that did not see it."""

    probe: Probe
    l2: float
    held_out: Floats


def fit_logistic(
    features: Floats, right: Bools, *, penalties: tuple[float, ...] = PENALTIES, folds: int = 5, seed: int = 0
) -> Fitted:
    """P(right | features [n, d]) with the penalty of least held-out log loss over `folds` folds.

    Raises InputError for fewer than 20 rows, or when all are right or all wrong.
    """
    if len(right) < 20 or right.all() or not right.any():
        raise InputError(f"{len(right)} rows, {int(right.sum())} of them right: a fit needs at least 20, right ones and wrong ones")
    fold = np.random.default_rng(seed).permutation(len(right)) % folds
    tried = {l2: _held_out(features, right, fold, l2) for l2 in penalties}
    best = min(tried, key=lambda l2: _log_loss(tried[l2], right))
    return Fitted(Probe.fit(features, right.astype(np.float64), l2=best), best, tried[best])


def _held_out(features: Floats, right: Bools, fold: Integers, l2: float) -> Floats:
    found = np.empty(len(right))
    for k in np.unique(fold):
        kept = fold != k
        found[~kept] = Probe.fit(features[kept], right[kept].astype(np.float64), l2=l2).predict(features[~kept])
    return found


def _log_loss(p: Floats, right: Bools) -> float:
    q = np.clip(p, 1e-12, 1 - 1e-12)
    return -float(np.mean(special.xlogy(right, q) + special.xlogy(~right, 1 - q)))
