"""Supervised fine-tuning on worked solutions."""

from __future__ import annotations

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn import curricula, rollouts
from nosce.learn.context import Context
from nosce.learn.gold import example
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Turn

CLAIM = Claim(
    statement="Imitating gold solutions for forty steps leaves more right answers than for one.",
    endpoint="accuracy", baseline="sft", baseline_options={"steps": 1}, fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("sft", "sft", family="learn", claim=CLAIM)
def sft() -> Recipe:
    """Imitate the gold solutions: cross-entropy, mean over tokens; no rollouts. A step learns from batch × group solutions."""
    return Recipe(curriculum=_none, rollout=rollouts.none, augment=gold_solutions)


def gold_solutions(groups: list[Group], context: Context) -> list[Turn]:
    """One example for each of the next batch × group problems."""
    settings = context.settings
    return [example(problem, context.engine) for problem in curricula.shuffled(context, settings.batch * settings.group)]


def _none(context: Context, n: int) -> list[Problem]:
    return []
