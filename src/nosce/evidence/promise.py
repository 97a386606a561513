"""Calibrate a strategy on labelled questions, and promise a risk where the labels carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nosce.control.risk import RiskThreshold, select_threshold, threshold_grid
from nosce.core.errors import InputError
from nosce.evidence.plan import Plan
from nosce.evidence.rows import Row, withhold
from nosce.monitor.calibrator_file import SavedCalibrator


@dataclass(frozen=True)
class Promise:
    """A calibrator, and the threshold that keeps a risk (None when no risk was asked for)."""

    calibrator: SavedCalibrator
    threshold: RiskThreshold | None

    def apply(self, row: Row) -> Row:
        """The row with its calibrated probability; withheld when it lies below the threshold, or when nothing is promised."""
        if row.confidence is not None:
            row = replace(row, calibrated=float(self.calibrator.transform([row.confidence])[0]))
        if self.threshold is None or row.outcome != "answered":
            return row
        if not self.threshold.promised or self.threshold.threshold is None:
            return withhold(row, self.threshold.reason)
        if row.calibrated is None:
            return withhold(row, "no confidence to hold against the threshold")
        if row.calibrated < self.threshold.threshold:
            return withhold(row, f"confidence {row.calibrated:.3f} is below the threshold {self.threshold.threshold:.3f}")
        return row

    def data(self) -> dict[str, Any]:
        """Plain JSON data: the threshold with its reason, and the calibrator."""
        import json

        return {
            "threshold": None if self.threshold is None else asdict(self.threshold),
            "calibrator": json.loads(self.calibrator.to_json()),
        }


def make_promise(
    plan: Plan, fitting: Sequence[Row], testing: Sequence[Row], risk: float | None, delta: float
) -> Promise:
    """Fit a beta calibrator on one split and test thresholds on the other (Learn-then-Test, fixed sequence, exact tails).

    Only answered rows count: "at most `risk` wrong among the answered, with probability 1 − delta over the draw of the
    calibration questions", provided that new questions are exchangeable with them.
    """
    fit_confidence, fit_right = _columns(fitting)
    confidence, right = _columns(testing)
    if len(fit_right) < 10 or len(set(fit_right.tolist())) < 2:
        raise InputError(
            f"{len(fit_right)} answered calibration questions, {int(fit_right.sum())} of them right: too few to calibrate on; "
            "give more labelled questions, some of which the model gets wrong"
        )
    signal = next((row.source for row in testing if row.confidence is not None), "none")
    calibrator = SavedCalibrator.fit(
        "beta", fit_confidence, fit_right, model=plan.roster["main"].version, signal=f"{plan.system.slug}:{signal}"
    )
    if risk is None:
        return Promise(calibrator, None)
    fitted, tested = calibrator.transform(fit_confidence), calibrator.transform(confidence)
    grid = threshold_grid(fitted, fit_right, alpha=risk, n_labels=len(right), delta=delta)
    return Promise(calibrator, select_threshold(tested, right, alpha=risk, delta=delta, grid=grid))


def _columns(rows: Sequence[Row]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.bool_]]]:
    kept = [row for row in rows if row.outcome == "answered" and row.confidence is not None and row.correct is not None]
    confidence = np.array([row.confidence for row in kept], dtype=np.float64)
    return confidence, np.array([(row.correct or 0) >= 0.5 for row in kept], dtype=np.bool_)
