"""A second look at an answer: how readily a model changes it, and how a given thought is put before it as its own or another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Critique, Given
from nosce.mind.mind import Mind

Stance = Literal["plain", "sure", "doubting"]

WORDS: dict[Stance, str] = {
    "plain": "Look at the proposed solution again and decide what the answer is.",
    "sure": "Look at the proposed solution again. Stay with its answer unless you are certain that it is wrong.",
    "doubting": "Look at the proposed solution again. It may well be wrong: look hard for the mistake and put it right.",
}
BELIEVED: dict[Stance, float] = {"plain": 0.5, "sure": 0.2, "doubting": 1.0}
"""For a model without words: the chance of being right, by its own check, below which it does the work again."""


async def corrected(problem: Problem, mind: Mind, attempt: Attempt) -> Attempt | None:
    """One round of intrinsic self-correction: a critique, and a revision where it finds fault; None where the attempt stands."""
    critique = await mind.critique(problem, attempt)
    return (await mind.revise(problem, attempt, critique))[0] if critique.fault else None


async def looked_again(
    problem: Problem, mind: Mind, attempt: Attempt, stance: Stance = "plain", *, temperature: float | None = None
) -> Attempt:
    """The attempt after a second look; the same attempt where the model stays with it. `temperature` is the new solution's.

    A chat model is told the stance and writes a solution. A model without words checks the attempt by its own act and, when its
    belief falls below the stance's threshold, revises from the first step that it holds to be wrong (from the start where it names
    none). A look that ends without an answer leaves the attempt as it was.
    """
    if "choose" in mind.dialect.acts:
        cue = Cue(f"second-look-{stance}", 2, {"chat": "{question}\n\n" + WORDS[stance]})
        act = "revise" if stance == "doubting" else "think"  # to be told to revise is to be told that something is wrong
        again = (await mind.attempts(act, problem, Given(attempt=attempt, cue=cue), temperature=temperature))[0]
        return again if again.answer is not None else attempt
    if stance != "doubting":
        belief = (await mind.verify(problem, attempt)).value
        if belief is None or belief >= BELIEVED[stance]:
            return attempt
    found = await mind.critique(problem, attempt)
    again = (await mind.revise(problem, attempt, found if found.fault else None, temperature=temperature))[0]
    return again if again.answer is not None else attempt


def written(mind: Mind, steps: Sequence[str], answer: str | None = None) -> str:
    """Steps (and the answer) as this model writes them; without the answer, up to where it would stand."""
    if mind.dialect.name.startswith("socrates"):
        thought = " ".join(f"<s{i}> {step}" for i, step in enumerate(steps, 1))
        return thought if answer is None else f"{thought} <ans> {answer}"
    lines = "".join(f"{i}. {step}\n" for i, step in enumerate(steps, 1))
    return lines if answer is None else f"{lines}Answer: {answer}"


def shown(mind: Mind, steps: Sequence[str], answer: str) -> Attempt:
    """A finished thought that somebody wrote, to be critiqued, rated or revised."""
    return Attempt("", written(mind, steps, answer), answer)


async def mended_as_own(problem: Problem, mind: Mind, prefix: str) -> str | None:
    """The answer when the model goes on from a text that stands as its own, unfinished."""
    return (await mind.extend(problem, prefix))[0].answer


async def mended_as_others(problem: Problem, mind: Mind, attempt: Attempt) -> str | None:
    """The answer when the same text is shown to the model as a proposed solution and it is asked to correct it.

    A model without words is asked for its critique, and for a revision where it finds a fault; else the text stands.
    """
    if "choose" in mind.dialect.acts:
        return (await mind.attempts("revise", problem, Given(attempt=attempt)))[0].answer
    found: Critique = await mind.critique(problem, attempt)
    return (await mind.revise(problem, attempt, found))[0].answer if found.fault else attempt.answer
