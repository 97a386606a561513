"""One calibrator per group (family, level, source), and one for all where a group is unknown or too small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import probabilities, scored
from nosce.metrics.estimate import Floats
from nosce.monitor.calibrators import Calibrator, fit_calibrator


@dataclass(frozen=True)
class GroupedCalibrator:
    """`groups[name]` where it exists, else `whole`."""

    whole: Calibrator
    groups: Mapping[str, Calibrator]

    @classmethod
    def fit(
        cls, kind: str, confidence: ArrayLike, correct: ArrayLike, group: Sequence[str], *, least: int = 50
    ) -> GroupedCalibrator:
        """Fits `kind` on all rows, and on each group of at least `least` rows that has right and wrong ones."""
        stated, right = scored(confidence, correct, least=2)
        names = np.asarray(group, dtype=object)
        if names.shape != stated.shape:
            raise InputError(f"group: expected {stated.size} names, one per row, got {len(names)}")
        fitted = {}
        for name in dict.fromkeys(names.tolist()):
            rows = names == name
            if rows.sum() >= least and 0 < right[rows].sum() < rows.sum():
                fitted[str(name)] = fit_calibrator(kind, stated[rows], right[rows])
        return cls(fit_calibrator(kind, stated, right), fitted)

    def transform(self, confidence: ArrayLike, group: Sequence[str]) -> Floats:
        """Calibrated probabilities, row by row by its group."""
        stated = probabilities(confidence, least=0)
        names = np.asarray(group, dtype=object)
        if names.shape != stated.shape:
            raise InputError(f"group: expected {stated.size} names, one per row, got {len(names)}")
        calibrated = self.whole.transform(stated)
        for name, calibrator in self.groups.items():
            rows = names == name
            calibrated[rows] = calibrator.transform(stated[rows])
        return calibrated
