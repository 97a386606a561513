"""A strategy whose confidence is another signal: it answers as it always does, and an estimator says how sure to be."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import Any

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.errors import BudgetExhausted, InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.mind.engine import best_so_far
from nosce.mind.mind import Mind

OWN = "confidence"
"""The name of the signal that a strategy gives by itself."""


def with_signal(system: System, signal: str) -> System:
    """The strategy with the named estimator's signal as its confidence; itself for `confidence`.

    The estimator is shown the strategy's attempts, one that ends in the answer given first. Its cost is the strategy's. Raises
    InputError for an unknown estimator, and for one that is fitted on labelled questions first.
    """
    if signal == OWN:
        return system
    estimator = registry.find(signal, "estimator")
    if estimator.prepare is not None:
        raise InputError(f"signal {estimator.name!r} is fitted on labelled questions first and cannot be put on {system.name!r}; "
                         f"`nosce prove {estimator.name}` measures it")  # fmt: skip

    @wraps(system.run)
    async def run(problem: Problem, mind: Mind, *more: Any, **options: Any) -> Answer:
        try:
            answer: Answer = await system.run(problem, mind, *more, **options)
            if answer.outcome != "answered" or answer.value is None:
                return answer
            attempts = _shown(problem, mind, answer.value)
            if not attempts:
                return replace(answer, confidence=None, source="none")
            seen = await estimator.run(problem, attempts, mind)
        except BudgetExhausted as error:  # the best so far, whose own confidence is another signal's
            return replace(best_so_far(mind, str(error)), confidence=None, source="none")
        noted = mind.answer(answer.value, seen.confidence, seen.source, reason=answer.reason, signals=(*answer.signals, seen))
        return replace(noted, outcome=answer.outcome)

    needs, acts = system.needs | estimator.needs, system.acts | estimator.acts
    return replace(system, run=run, needs=needs, acts=acts)


def _shown(problem: Problem, mind: Mind, value: str) -> list[Attempt]:
    """The attempts that have an answer, those that agree with `value` first."""
    said = [attempt for attempt in mind.work.attempts if attempt.answer is not None]
    return sorted(said, key=lambda attempt: not problem.same(str(attempt.answer), value))
