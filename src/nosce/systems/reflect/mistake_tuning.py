"""S118 Mistake tuning: learn wrong rationales too, under a mark of their own."""

from __future__ import annotations

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.core.streams import stream_key
from nosce.learn import curricula, rollouts
from nosce.learn.context import Context
from nosce.learn.gold import example, told
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Turn
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.tasks.families import parse, plant

MISTAKEN = Cue(
    "a-mistaken-rationale", 1,
    {"chat": "{question}\n\nWrite a solution with a mistake in it.", "socrates": "<bad> {question}",
     "socrates-base": "<bad> {question}"},
)  # fmt: skip
"""The mark of the incorrect domain. The correct one is asked for as ever, so nothing changes for who asks."""

CLAIM = Claim(
    statement="Tuned on right and on wrong rationales, each under its mark, it is right more often than tuned on the right ones "
    "of the same questions.",
    endpoint="accuracy", baseline="sft", seeds=(0, 1, 2), options={"beside": ()},
)  # fmt: skip


@recipe("S118", "coterrorset", part="mistake-tuning", claim=CLAIM)
def mistake_tuning() -> Recipe:
    """Imitate the worked solution of each question, and under a mark of its own a solution in which a step is wrong.

    Rule: Σ −log π(y⁺ | x) − log π(y⁻ | mark, x) over the tokens of both, their mean; y⁻ has one planted error and all that follows
    from it. A step learns from batch × group questions; those in which no error can be planted give y⁺ alone.
    Source: S118 "Can LLMs Learn from Previous Mistakes? Investigating LLMs' Errors to Boost for Reasoning". Left open and
    filled: errors are planted by program, in place of another model's; the correct domain has no mark.
    """
    return Recipe(curriculum=curricula.nothing, rollout=rollouts.none, augment=both_domains)


def both_domains(groups: list[Group], context: Context) -> list[Turn]:
    """For each of the next batch × group problems its worked solution, and a mistaken one where there is one."""
    turns: list[Turn] = []
    for problem in curricula.shuffled(context, context.settings.batch * context.settings.group):
        turns.append(example(problem, context.engine))
        wrong = mistaken(problem, stream_key("mistake-tuning", context.seed, context.step, problem.id), context)
        if wrong is not None:
            turns.append(example(problem, context.engine, text=wrong, given=Given(cue=MISTAKEN)))
    return turns


def mistaken(problem: Problem, key: int, context: Context) -> str | None:
    """A worked solution with one error planted and its consequences; None where none can be."""
    item = parse(problem.text, problem.context)
    made = None if item is None else plant(np.random.default_rng(key), item)
    return None if made is None else told(made[0], made[1], context.engine.model.dialect)
