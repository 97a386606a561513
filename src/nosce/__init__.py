"""Nosce: metacognition for any language model.

    import nosce
    run = nosce.solve("questions.jsonl", model="socrates", risk=0.2, calibrate="labelled.jsonl")

Everything public is imported when it is first used, so that `import nosce` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nosce.batteries.api import profile
    from nosce.core.answer import Answer
    from nosce.core.attempt import Attempt
    from nosce.core.claim import Claim
    from nosce.core.cost import Budget, Cost
    from nosce.core.decision import Decision
    from nosce.core.equivalence import Equivalence
    from nosce.core.problem import Problem
    from nosce.core.registry import agent, battery, estimator, intervention, memory, recipe, registry, strategy, study
    from nosce.core.signal import Signal
    from nosce.core.trace import Trace
    from nosce.evidence.api import calibrate, compare, prove, signals, solve
    from nosce.learn.plan import train
    from nosce.mind.engine import Engine
    from nosce.mind.mind import Mind
    from nosce.models.load import load as load_model
    from nosce.serve.wrap import wrap
    from nosce.tasks.load import load_problems

_HOMES = {
    "Answer": "nosce.core.answer", "Attempt": "nosce.core.attempt", "Budget": "nosce.core.cost", "Claim": "nosce.core.claim",
    "Cost": "nosce.core.cost", "Decision": "nosce.core.decision", "Engine": "nosce.mind.engine",
    "Equivalence": "nosce.core.equivalence", "Mind": "nosce.mind.mind", "Problem": "nosce.core.problem",
    "Signal": "nosce.core.signal", "Trace": "nosce.core.trace", "agent": "nosce.core.registry",
    "battery": "nosce.core.registry", "calibrate": "nosce.evidence.api",
    "compare": "nosce.evidence.api", "estimator": "nosce.core.registry", "intervention": "nosce.core.registry",
    "load_model": "nosce.models.load:load", "load_problems": "nosce.tasks.load", "memory": "nosce.core.registry",
    "profile": "nosce.batteries.api", "prove": "nosce.evidence.api", "registry": "nosce.core.registry",
    "signals": "nosce.evidence.api", "solve": "nosce.evidence.api", "strategy": "nosce.core.registry",
    "study": "nosce.core.registry", "recipe": "nosce.core.registry", "train": "nosce.learn.plan",
    "wrap": "nosce.serve.wrap",
}  # fmt: skip

__all__ = [
    "Answer", "Attempt", "Budget", "Claim", "Cost", "Decision", "Engine", "Equivalence", "Mind", "Problem", "Signal", "Trace",
    "agent", "battery", "calibrate", "compare", "estimator", "intervention", "load_model", "load_problems", "memory", "profile",
    "prove", "recipe", "registry", "signals", "solve", "strategy", "study", "train", "wrap",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nosce' has no attribute {name!r}")
    home, _, other = _HOMES[name].partition(":")
    return getattr(import_module(home), other or name)


def __dir__() -> list[str]:
    return sorted(__all__)
