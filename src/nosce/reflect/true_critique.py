"""What one who holds the solution would say of an attempt."""

from __future__ import annotations

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique
from nosce.mind.mind import Mind
from nosce.tasks.families import Item, bare, judge, parse


def item_of(problem: Problem) -> Item:
    """The bundled item behind a problem. Raises InputError for a question outside the families."""
    item = parse(problem.text, problem.context)
    if item is None:
        raise InputError(f"problem {problem.id}: no worked solution is known for {problem.text!r}")
    return item


def plain_steps(mind: Mind, attempt: Attempt) -> list[str]:
    """The steps of an attempt as the families write them, without numbers."""
    return [bare(step) for step in mind.dialect.steps(attempt.text)]


def true_critique(problem: Problem, mind: Mind, attempt: Attempt) -> Critique:
    """The first wrong step, what should stand there, and that the answer is wrong; near-complete truth, the answer itself apart.

    Raises InputError for a question outside the bundled families, whose worked solutions are known.
    """
    item, steps = item_of(problem), plain_steps(mind, attempt)
    if problem.check(attempt.answer) >= 0.5:
        return Critique(None)
    verdict = judge(item, steps, attempt.answer or "")
    if verdict.fault == 0 or verdict.fault is None:
        return Critique(None, "The steps stand, but the answer does not follow from them.", conclusion=True)
    again = verdict.lines[-1][0]
    why = f"should read: {again}" if again else "leads nowhere."
    return Critique(verdict.fault, f"Step {verdict.fault} {why}")
