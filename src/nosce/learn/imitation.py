"""Fine-tuning on a fixed set of replies: what studies train with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nosce.core.errors import InputError
from nosce.learn import curricula, rollouts
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group, Turn
from nosce.models.base import Prompt

if TYPE_CHECKING:
    from nosce.learn.context import Context
    from nosce.learn.engine import Engine


def lesson(engine: Engine, prompt: Prompt, reply: str) -> Turn:
    """A reply to a prompt, as a turn that is imitated."""
    turn = Turn(tuple(engine.encode(prompt)), tuple(engine.write(reply)), sampled=False, text=reply)
    turn.imitate()
    return turn


def imitation(lessons: Sequence[Turn], n: int) -> Recipe:
    """Cross-entropy on `n` of the lessons a step, in random order, each once before any comes again."""
    return Recipe(curriculum=curricula.nothing, rollout=rollouts.none, augment=partial(_next, lessons=lessons, n=n))


def _next(groups: list[Group], context: Context, *, lessons: Sequence[Turn], n: int) -> list[Turn]:
    return [lessons[i] for i in curricula.in_turn(context, len(lessons), n)]


async def fine_tune(engine: Engine, lessons: Sequence[Turn], *, steps: int, n: int = 64, seed: int = 0, lr: float = 2e-4) -> Engine:
    """Train the engine's model on lessons, `n` a step; the engine comes back, and its model samples with the new weights.

    Raises InputError without lessons.
    """
    from nosce.learn.trainer import Trainer

    if not lessons:
        raise InputError(f"{engine.spec} has nothing to be tuned on: it gave no answer that could be read to any of the questions")
    recipe = imitation(lessons, n)
    await Trainer(recipe, engine, (), steps, seed, replace(Settings(), lr=lr)).train()
    return engine
