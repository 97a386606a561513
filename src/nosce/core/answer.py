"""What comes back: a value, how sure, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nosce.core.cost import Cost
from nosce.core.signal import Signal, Source

Outcome = Literal["answered", "abstained", "deferred", "asked", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of one problem.

    `confidence` is raw, in [0, 1], from `source`; `calibrated` is the probability of being right after calibration,
    None when no calibrator was given. A failure names its error in `reason`. `partial` says that the budget ended the
    strategy early and this is the best answer so far.
    """

    problem_id: str
    value: str | None
    confidence: float | None = None
    source: Source = "none"
    outcome: Outcome = "answered"
    calibrated: float | None = None
    reason: str = ""
    partial: bool = False
    signals: tuple[Signal, ...] = ()
    cost: Cost = field(default_factory=Cost)
    trace_id: str = ""
