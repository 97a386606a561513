"""Fit a strategy's confidence on labelled questions, and promise a risk where the labels carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nosce.control.joint_risk import JointThreshold, RiskLimit, joint_reason, place_jointly, select_threshold_jointly
from nosce.control.risk import RiskThreshold, select_threshold, threshold_grid
from nosce.core.errors import InputError
from nosce.evidence.labels import Labelled
from nosce.evidence.rows import Row, withhold
from nosce.metrics.estimate import Floats
from nosce.monitor.calibrator_file import SavedCalibrator

Threshold = RiskThreshold | JointThreshold

WRONG, ABSTAINED, COST = "wrong", "abstained", "cost"


@dataclass(frozen=True)
class Promise:
    """A calibrator, and the threshold that keeps a risk (None when no risk was asked for)."""

    calibrator: SavedCalibrator
    threshold: Threshold | None

    @property
    def alpha(self) -> float | None:
        """The share wrong among the answered that was asked for."""
        return None if self.threshold is None else alpha_of(self.threshold)

    def apply(self, row: Row) -> Row:
        """The row with its calibrated probability; withheld when it lies below the threshold, or when nothing is promised."""
        if row.confidence is not None:
            row = replace(row, calibrated=float(self.calibrator.transform([row.confidence], [row.family])[0]))
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
        return {
            "threshold": None if self.threshold is None else asdict(self.threshold),
            "calibrator": self.calibrator.data(),
        }


def alpha_of(threshold: Threshold) -> float | None:
    """The limit on the share wrong among the answered, None where there is none."""
    return threshold.alpha if isinstance(threshold, RiskThreshold) else threshold.limits.get(WRONG)


def threshold_of(data: Mapping[str, Any]) -> Threshold:
    """The threshold that `asdict` wrote. Raises InputError where a field is missing."""
    try:
        return JointThreshold(**data) if "seen" in data else RiskThreshold(**data)
    except TypeError as error:
        raise InputError(f"calibrator file: a threshold does not fit ({error})") from error


@dataclass(frozen=True)
class Limits:
    """What is to hold together with `risk`: at most a share `abstained`, at most `tokens` spent per answer given.

    A question's tokens are counted up to `most_tokens`, which must be known without the tested rows (a budget, say).
    """

    abstained: float | None = None
    tokens: float | None = None
    most_tokens: float | None = None

    def __bool__(self) -> bool:
        return self.abstained is not None or self.tokens is not None

    def on(self, rows: Labelled, risk: float | None, most: float) -> list[RiskLimit]:
        """The limits as losses of these rows. Tokens per answer <= c is the mean of T − c · answered <= 0, moved into [0, 1]."""
        found = [] if risk is None else [RiskLimit(WRONG, risk, (~rows.right).astype(np.float64))]
        if self.abstained is not None:
            found.append(RiskLimit(ABSTAINED, self.abstained, np.ones(len(rows)), over="silent"))
        if self.tokens is not None:
            whole = most + self.tokens
            spent, saved = np.minimum(rows.tokens, most) / whole, np.full(len(rows), self.tokens / whole)
            found.append(RiskLimit(COST, self.tokens / whole, saved, over="silent", always=spent))
        return found


def make_threshold(
    fitting: Labelled, fitted: Floats, testing: Labelled, tested: Floats, *, risk: float | None, delta: float, limits: Limits,
) -> Threshold:  # fmt: skip
    """Test thresholds on rows apart from those that fitted the calibrator and place the grid (Learn-then-Test, fixed sequence).

    `fitted` and `tested` are the calibrated confidences of both. "At most `risk` wrong among the answered, with probability
    1 − delta over the draw of the calibration questions", provided that new questions are exchangeable with them.
    """
    if risk is not None and not limits:
        grid = threshold_grid(fitted, fitting.right, alpha=risk, n_labels=len(testing), delta=delta)
        return select_threshold(tested, testing.right, alpha=risk, delta=delta, grid=grid)
    most = limits.most_tokens or 2 * float(fitting.tokens.max(initial=1.0))
    grid = place_jointly(fitted, limits.on(fitting, risk, most), n_labels=len(testing))
    found = select_threshold_jointly(tested, limits.on(testing, risk, most), delta=delta, grid=grid)
    return found if limits.tokens is None else _in_tokens(found, limits.tokens, most)


def _in_tokens(found: JointThreshold, limit: float, most: float) -> JointThreshold:
    """The cost back in tokens per answer given, where it was tested as a mean in [0, 1]."""
    spent = found.seen[COST] * (most + limit) - limit * (1 - found.answered)
    seen = {**found.seen, COST: spent / found.answered if found.answered else float("inf")}
    limits = {**found.limits, COST: limit}
    at = 0.0 if found.threshold is None else found.threshold
    reason = joint_reason(found.promised, at, found.delta, found.n_labels, seen, limits)
    reason = f"{reason}; cost in tokens per answer, a question counted up to {most:.0f}"
    return replace(found, seen=seen, limits=limits, reason=reason)
