"""What the meta level measures about the object level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nosce.core.errors import InputError

Source = Literal["logprobs", "samples", "verbal", "hidden", "verifier", "memory", "none"]
Direction = Literal["confidence", "uncertainty"]


def vanishing(u: float) -> float:
    """exp(−u) for u ≥ 0; beyond 700 nats, where it would soon be 0, exp(−700)·700/u: long thoughts keep their order."""
    return math.exp(-max(0.0, u)) if u <= 700 else math.exp(-700) * 700 / u


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

    @property
    def confidence(self) -> float | None:
        """The value on [0, 1], higher is surer, by the one map that is used everywhere; None without a value.

        A confidence is itself. An uncertainty u in [low, high] becomes 1 − (u − low)/(high − low); one in [low, ∞) becomes
        exp(low − u), so an entropy or a negative log-probability turns back into a probability; one in (−∞, high] becomes
        x/(1 + x), x = high − u; one without bounds ½ − ½·u/(1 + |u|). Monotone for a given range, and never flat before
        floating point is: rankings survive it (see `vanishing`).
        """
        if self.value is None or self.direction == "confidence":
            return self.value
        below, above = self.value - self.low, self.high - self.value
        if math.isfinite(self.low) and math.isfinite(self.high):
            return min(1.0, max(0.0, above / (self.high - self.low))) if self.high > self.low else 1.0
        if math.isfinite(self.low):
            return vanishing(below)
        if math.isfinite(self.high):
            return 1 - 1 / (1 + max(0.0, above))
        return 0.5 - math.copysign(0.5 - 0.5 / (1 + abs(self.value)), self.value)
