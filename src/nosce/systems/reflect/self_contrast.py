"""S287 Self-Contrast: solutions from several perspectives are held against each other, and revised by what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import zip_longest

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.core.vote import tally
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Critique, Given
from nosce.mind.mind import Mind

PERSPECTIVES = Cue(
    "perspectives", 1,
    {"chat": "{question}\n\nDo not solve it yet. Name {count} really different ways to go about this very question, one per line, "
             "each starting with '- ' and addressed to the solver."},
)  # fmt: skip
CONTRAST = (
    "These attempts end in different answers. Where exactly do they differ, and why? Write a checklist of what has to be checked "
    "to settle it, one point per line."
)

CLAIM = Claim(
    statement="Revising what differs between one's own solutions beats a vote over as many tokens of solutions.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True,
)  # fmt: skip


@strategy("S287", "self-contrast", acts={"think", "revise"}, claim=CLAIM)
async def self_contrast(problem: Problem, mind: Mind, *, perspectives: Count = 4) -> Answer:
    """Solve from several perspectives; where the answers differ, revise each solution by what sets it apart; then vote.

    Rule: perspectives p₁…p_k tailored to the question; a solution under each; of those that say the same, one is kept. With one
    left that is the answer. Else the differences are summed up as a checklist, each kept solution is revised by it, and the
    answer is the plurality, each weighing as much as the solutions it stands for. Confidence is the share of that weight.
    Source: S287 "Self-Contrast: Better Reflection Through Inconsistent Solving Perspectives". Left open and filled: k; that
    saying the same means the same answer. A model that plans and distils writes perspectives and checklist. The bundled model
    writes neither: its perspectives are draws, and a solution is revised from the first step in which it departs from the
    commonest one (that one: from the runner-up). It was taught to revise from a step.
    """
    worded = {"plan", "distil"} <= mind.dialect.acts
    thoughts = await _solved(problem, mind, perspectives, worded=worded)
    vote = plurality(problem, mind, thoughts)
    blocs = tally(problem, [thought.answer for thought in thoughts])
    if len(blocs) < 2:
        mind.decide("stop", "every perspective ends in the same answer")
        return vote
    kept = [thoughts[bloc.members[0]] for bloc in blocs]
    mind.decide("revise", "the perspectives differ", answers=len(blocs))
    revised = await _revised(problem, mind, kept, worded=worded)
    return plurality(problem, mind, revised, [bloc.weight for bloc in blocs])


async def _solved(problem: Problem, mind: Mind, count: int, *, worded: bool) -> list[Attempt]:
    """One solution under each perspective."""
    if not worded:
        return await mind.think(problem, n=count)
    named = (await mind.attempts("plan", problem, Given(cue=PERSPECTIVES.filled(count=str(count)))))[0].text
    views = [line.strip().removeprefix("-").strip() for line in named.splitlines() if line.strip().startswith("-")][:count]
    asked = [[view] for view in views] + [[]] * (count - len(views))
    made = await asyncio.gather(*(mind.think(problem, notes=notes) for notes in asked))
    return [attempt for drawn in made for attempt in drawn]


async def _revised(problem: Problem, mind: Mind, kept: Sequence[Attempt], *, worded: bool) -> list[Attempt]:
    """Each solution after a look at what sets it apart; the same one where that gives no answer."""
    if worded:
        checklist = await mind.write("distil", problem, attempts=kept, instruction=CONTRAST)
        work = [mind.revise(problem, attempt, notes=checklist) for attempt in kept]
    else:
        steps = [mind.dialect.steps(attempt.text) for attempt in kept]
        work = [mind.revise(problem, a, departure(steps[i], steps[0 if i else 1])) for i, a in enumerate(kept)]
    made = await asyncio.gather(*work)
    return [old if new[0].answer is None else new[0] for old, new in zip(kept, made, strict=True)]


def departure(steps: Sequence[str], others: Sequence[str]) -> Critique:
    """The first step that differs from another solution's; where all steps are the same (or one's own end), the conclusion."""
    pairs = enumerate(zip_longest(steps, others), 1)
    place = next((i for i, (mine, theirs) in pairs if mine != theirs), len(steps) + 1)
    return Critique(place) if place <= len(steps) else Critique(None, conclusion=True)
