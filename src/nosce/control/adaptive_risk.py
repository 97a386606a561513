"""A threshold that follows the stream: it promises a long-run average only, never anything about the next answer.

Adaptive conformal inference on the threshold θ: after every question whose truth becomes known,
θ ← max(0, θ + γ (loss − α)). It needs no exchangeability: the world may drift, even against us. What holds, always, is
    mean loss <= α + (1 + γ (1 − α) − θ₁) / (γ · steps),
because θ never exceeds 1 + γ (1 − α): above 1 nothing is answered, so nothing can be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from nosce.core.errors import InputError
from nosce.metrics.checks import share


@dataclass(frozen=True)
class AdaptiveThreshold:
    """Answer where confidence >= `threshold`; `update` returns the next one.

    `over` "all": the loss of a question is 1 where it was answered wrongly, and every question is a step: the
    share of all questions answered wrongly tends to at most α. "answered": only answered questions are steps:
    the share wrong among the answered tends to at most α, but once the threshold passes every confidence it
    stays silent until it is started anew.
    """

    alpha: float
    threshold: float = 0.5
    rate: float = 0.02
    over: Literal["all", "answered"] = "all"
    start: float | None = None
    steps: int = 0
    losses: int = 0

    def __post_init__(self) -> None:
        share(self.alpha, "alpha")
        if self.rate <= 0:
            raise InputError(f"rate: expected a step size above 0, got {self.rate}")
        if self.over not in ("all", "answered"):
            raise InputError(f"over: expected 'all' or 'answered', got {self.over!r}")
        if self.start is None:
            object.__setattr__(self, "start", self.threshold)

    def answers(self, confidence: float) -> bool:
        """Whether to answer now."""
        return confidence >= self.threshold

    def update(self, confidence: float, correct: bool) -> AdaptiveThreshold:
        """The threshold after the truth about this question is known (also where it was not answered)."""
        if not 0.0 <= confidence <= 1.0:
            raise InputError(f"confidence: {confidence} lies outside [0, 1]")
        answered = self.answers(confidence)
        if self.over == "answered" and not answered:
            return self
        loss = int(answered and not correct)
        moved = max(0.0, self.threshold + self.rate * (loss - self.alpha))
        return replace(self, threshold=moved, steps=self.steps + 1, losses=self.losses + loss)

    @property
    def mean_loss(self) -> float:
        """Share of the steps that lost so far."""
        return self.losses / self.steps if self.steps else 0.0

    @property
    def bound(self) -> float:
        """What `mean_loss` cannot exceed by now, whatever the stream; α in the limit."""
        if self.steps == 0:
            return 1.0
        start = self.threshold if self.start is None else self.start
        return min(1.0, self.alpha + (max(start, 1 + self.rate * (1 - self.alpha)) - start) / (self.rate * self.steps))

    @property
    def promise(self) -> str:
        """What may be said about it."""
        who = "all questions" if self.over == "all" else "answered questions"
        return f"long-run average only: in the limit at most {self.alpha:.4g} wrong of {who}; nothing about any one answer"
