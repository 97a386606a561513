"""The usual measures of one signal in one pass, for tables: what cannot be measured is left out with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.calibration_error import confidence_bias, ece, smooth_ece
from nosce.metrics.checks import scored
from nosce.metrics.estimate import Estimate
from nosce.metrics.proportion import accuracy
from nosce.metrics.ranking import auroc2
from nosce.metrics.risk_coverage import augrc, aurc, e_aurc, prr
from nosce.metrics.scores import brier, log_score


@dataclass(frozen=True)
class Scorecard:
    """`measures` by name, and `missing`: name → why it could not be measured."""

    measures: Mapping[str, Estimate]
    missing: Mapping[str, str]

    def __getitem__(self, name: str) -> Estimate:
        return self.measures[name]


def scorecard(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Scorecard:
    """accuracy, auroc2, aurc, e_aurc, augrc, prr, ece, smooth_ece, brier, log_score, bias: each with its interval.

    Raises InputError for rows that no measure could read (NaN, out of range, unequal lengths).
    """
    stated, right = scored(confidence, correct)
    rules: dict[str, Callable[[], Estimate]] = {
        "accuracy": lambda: accuracy(right, level),
        "auroc2": lambda: auroc2(stated, right, level=level),
        "aurc": lambda: aurc(stated, right, level=level),
        "e_aurc": lambda: e_aurc(stated, right, level=level),
        "augrc": lambda: augrc(stated, right, level=level),
        "prr": lambda: prr(stated, right, level=level),
        "ece": lambda: ece(stated, right, level=level),
        "smooth_ece": lambda: smooth_ece(stated, right, level=level),
        "brier": lambda: brier(stated, right, level=level),
        "log_score": lambda: log_score(stated, right, level=level),
        "bias": lambda: confidence_bias(stated, right, level=level),
    }
    measures: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for name, rule in rules.items():
        try:
            measures[name] = rule()
        except InputError as error:
            missing[name] = str(error)
    return Scorecard(measures, missing)
