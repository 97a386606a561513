"""A thought written in pieces, by one model or by several in turn."""

from __future__ import annotations

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind


def room(problem: Problem, mind: Mind, text: str) -> bool:
    """Whether the model's context has room to go on from this text."""
    prompt = mind.dialect.render("extend", problem, Given(prefix=text)).prompt
    return mind.model.count(prompt) < mind.model.context


async def prolonged(problem: Problem, mind: Mind, thought: Attempt, text: str, tokens: int | None = None) -> Attempt | None:
    """The thought gone on with from `text`, by at most `tokens`; None where the context has no room left."""
    if not room(problem, mind, text):
        return None
    return (await mind.extend(problem, text, parent=thought, max_tokens=tokens))[0]
