"""What a calibration makes of a served answer: how to ask for it, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.codec import encode
from nosce.core.cost import Budget
from nosce.core.errors import InputError
from nosce.core.registry import System
from nosce.evidence.calibration import Calibration
from nosce.evidence.calibration_file import Kept, named
from nosce.evidence.policy import Policy
from nosce.evidence.signalled import OWN
from nosce.serve.settings import EFFORTS, Settings

WARMTH = 0.7
"""The temperature at which strategies draw where nothing else is said."""


def check(kept: Kept, model: str, strong: str, dialect: str, strategy: str | None = None) -> None:
    """Raises InputError where a calibration was made for another model, way of asking, signal or (where one is named) strategy."""
    if isinstance(kept, Policy):
        return kept.check(model, strong, dialect)
    made, spoken = named(kept.spec)
    fitted = kept.calibrator
    strategy = strategy or fitted.strategy
    wants = f"make one with `nosce calibrate LABELLED --model openai:{model}@URL#as-asked --strategy {strategy}`"
    if dialect.startswith("socrates"):
        wants = f"make one with `nosce calibrate LABELLED --model {model} --strategy {strategy}`"
    said = (("model", made or fitted.model, model), ("strategy", fitted.strategy, strategy), ("signal", fitted.signal, OWN),
            ("questions put", spoken or "otherwise", dialect))  # fmt: skip
    for what, was, here in said:
        if was != here:
            raise InputError(f"this calibration was made for {what} {was!r}, not for {here!r}; {wants}")


@dataclass(frozen=True, slots=True)
class Deciding:
    """How one request is decided: the artifact and options that the strategy takes, and why nothing may be answered at all.

    `calibration`, where it is one of a strategy's own confidence, is applied to what comes. `unfit` says why neither holds for
    this request: then its answer is uncalibrated.
    """

    artifact: Artifact | None = None
    options: Mapping[str, Any] | None = None
    withheld: str | None = None
    calibrated: bool = False
    unfit: str = ""
    calibration: Calibration | None = None
    risk: float | None = None

    @classmethod
    def of(cls, kept: Kept | None, system: System, settings: Settings, body: Mapping[str, Any]) -> Deciding:
        """What a calibration (None: there is none) says about a request. Raises InputError for a risk that it never tested."""
        if isinstance(kept, Policy):
            if system.name != "auto":
                return cls(unfit=f"the calibration is one of auto, not of {system.name}")
            options, withheld = kept.options(settings.risk)
            return cls(kept.artifact, options, withheld, calibrated=True)
        if kept is None:
            return cls()
        if why := _other(kept, system, settings, body):
            return cls(unfit=f"the calibration does not hold here: {why}")
        kept.promise(settings.risk) if settings.risk is not None else None
        return cls(calibrated=True, calibration=kept, risk=settings.risk)

    @property
    def warmth(self) -> float | None:
        """The temperature to draw at, so that answers are drawn as those were that the calibration saw; None leaves it open."""
        return None if self.calibration is None else self.calibration.settings.get("temperature") or WARMTH

    def applied(self, answer: Answer) -> Answer:
        """The answer with P(right) for its confidence, abstained from where that lies below the promised threshold."""
        if self.calibration is None or answer.confidence is None:
            return answer
        p = float(self.calibration.calibrator.transform([answer.confidence])[0])
        answer = replace(answer, confidence=p, calibrated=p)
        threshold = self.calibration.promise(self.risk).threshold if self.risk is not None else None
        if threshold is None or answer.outcome != "answered" or p >= (threshold.threshold or 0.0):
            return answer
        return replace(answer, outcome="abstained", reason=f"P(right) {p:.3f} is below {threshold.threshold:.3f}")


def _other(kept: Calibration, system: System, settings: Settings, body: Mapping[str, Any]) -> str:
    """What differs between a request and what a calibration was made with; empty where nothing does."""
    effort = body.get("reasoning_effort")
    budget = Budget.parse(str(settings.budget)) if settings.budget else Budget(calls=EFFORTS.get(str(effort)))
    here = {
        "strategy": system.name, "options": dict(sorted(settings.options.items())),
        "budget": {name: value for name, value in encode(budget).items() if value is not None},
        "temperature": body.get("temperature", kept.settings.get("temperature")),
    }  # fmt: skip
    made = {"strategy": kept.calibrator.strategy, "options": {}, "budget": {}, "temperature": None, **kept.settings}
    if made["temperature"] is None and here["temperature"] == WARMTH:
        here["temperature"] = None
    return ", ".join(f"{name} {here[name]!r}, not {made[name]!r}" for name in here if here[name] != made[name])
