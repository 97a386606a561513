"""Which of two attempts a model holds to be right."""

from __future__ import annotations

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.mind import Mind


async def preferred(
    problem: Problem, mind: Mind, a: Attempt, b: Attempt, *, lead: float = 0.0, undecided: str = ""
) -> Attempt | None:
    """One of the two, None while the model cannot tell.

    A model that judges names it, or the option `undecided` where one is offered. One that does not verifies both, and takes the
    surer one when it is surer by at least `lead` (the first at equal beliefs).
    """
    if "judge" in mind.dialect.acts:
        options = [f"{side.text.strip()}\n(answer: {side.answer})" for side in (a, b)]
        named = await mind.judge(problem, [*options, undecided] if undecided else options)
        return None if named is None or named > 1 else (a, b)[named]
    sure, other = [(await mind.verify(problem, side)).value or 0.0 for side in (a, b)]
    return (a if sure >= other else b) if abs(sure - other) >= lead else None
