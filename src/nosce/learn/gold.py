"""Worked solutions as turns to imitate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.learn.rollout import Turn
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Given

if TYPE_CHECKING:
    from nosce.learn.engine import Engine


def solution(problem: Problem, dialect: str) -> str:
    """The gold thought and answer of a bundled family, as the dialect writes them; InputError for a problem without one."""
    from nosce.tasks.families import facts, parse

    item = parse(problem.text, problem.context)
    if item is None:
        raise InputError(f"problem {problem.id} comes without a worked solution; only the bundled families (`family:…`) have them")
    steps, answer = facts.said(item) if item.family == "facts" else (item.steps, item.answer)
    return told(steps, answer, dialect)


def told(steps: Sequence[str], answer: str, dialect: str) -> str:
    """A thought of these steps and its answer, as the dialect writes them."""
    if dialect.startswith("socrates"):
        return " ".join([*(f"<s{i}> {step}" for i, step in enumerate(steps, 1)), "<ans>", answer])
    return "".join(f"{i}. {step}\n" for i, step in enumerate(steps, 1)) + f"Answer: {answer}"


def example(problem: Problem, engine: Engine, *, text: str | None = None, act: str = "think", given: Given | None = None) -> Turn:
    """A reply to an act, by default the gold solution to a thought, as a turn that is imitated."""
    dialect = dialect_of(engine.model)
    rendered = dialect.render(act, problem, given or Given())
    reply = solution(problem, dialect.name) if text is None else text
    turn = Turn(tuple(engine.encode(rendered.prompt)), tuple(engine.write(reply)), sampled=False, act=act, text=reply)
    turn.imitate()
    return turn
