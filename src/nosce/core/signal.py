"""What the meta level measures about the object level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nosce.core.errors import InputError

Source = Literal["logprobs", "samples", "verbal", "hidden", "verifier", "memory", "none"]
Direction = Literal["confidence", "uncertainty"]


@dataclass(frozen=True, slots=True)
class Signal:
    """One measurement: name, value, range, direction and where it came from.

    A confidence lies in [0, 1] and higher is surer; an uncertainty is the explicit opposite and may have any range.
    Signals are never invented: source `none` has no value, and a value has a source. Raw and calibrated are
    different fields. Raises InputError on NaN, a value outside its range, or a value without a source.
    """

    name: str
    value: float | None
    source: Source
    direction: Direction = "confidence"
    low: float = 0.0
    high: float = 1.0
    calibrated: float | None = None

    def __post_init__(self) -> None:
        if (self.source == "none") != (self.value is None):
            raise InputError(f"signal {self.name}: source {self.source!r} does not go with value {self.value!r}")
        if self.value is not None and not (self.low - 1e-9 <= self.value <= self.high + 1e-9):
            raise InputError(f"signal {self.name}: {self.value} lies outside [{self.low}, {self.high}]")
        if self.calibrated is not None and (math.isnan(self.calibrated) or not 0 <= self.calibrated <= 1):
            raise InputError(f"signal {self.name}: calibrated {self.calibrated} lies outside [0, 1]")
        if self.direction == "confidence" and (self.low < 0 or self.high > 1):
            raise InputError(f"signal {self.name}: a confidence lies in [0, 1], not [{self.low}, {self.high}]")
