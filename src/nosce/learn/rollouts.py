"""The rollout stage: how problems are tried, by Minds, through the same acts as inference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nosce.core.errors import OutOfScope
from nosce.core.problem import Problem
from nosce.learn.rollout import Group

if TYPE_CHECKING:
    from nosce.learn.context import Context, Strategy


async def think(problem: Problem, context: Context, k: int) -> Group:
    """k thoughts about the problem, drawn in one request; tools that the problem allows are used."""
    mind = context.mind(problem)
    try:
        attempts = await mind.think(problem, n=k, max_tokens=context.settings.max_tokens)
    except OutOfScope as error:
        raise OutOfScope(f"{error}: {problem.text!r}") from None
    return context.attempts(mind, attempts)


def of(strategy: Strategy) -> Callable[[Problem, Context, int], Awaitable[Group]]:
    """k independent runs of any strategy `async (problem, mind) -> Answer`; every draw in it is trained."""

    async def rollout(problem: Problem, context: Context, k: int) -> Group:
        return list(await asyncio.gather(*(context.play(strategy, problem, index) for index in range(k))))

    return rollout


async def none(problem: Problem, context: Context, k: int) -> Group:
    """No rollouts at all: the recipe learns from examples (`augment`)."""
    return []
