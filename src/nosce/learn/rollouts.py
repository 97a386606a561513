"""The rollout stage: how problems are tried, by Minds, through the same acts as inference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nosce.agents.loop import run_episode
from nosce.agents.model_policy import ModelPolicy
from nosce.core.errors import OutOfScope
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.environments.text import Environment
from nosce.learn.rollout import Group, Rollout

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


def episodes(
    world: Callable[[Problem], Environment], *, max_steps: int = 30
) -> Callable[[Problem, Context, int], Awaitable[Group]]:  # fmt: skip
    """k episodes in the world of a problem, the same for all of them; the model chooses, and every choice is a turn.

    The outcome is the sum of the episode's rewards. The model must have the act `choose`.
    """

    async def one(problem: Problem, context: Context, index: int) -> Rollout:
        mind, env = context.mind(problem, index), world(problem)
        policy = ModelPolicy(mind, env.goal, context.settings.temperature)
        episode = await run_episode(env, policy, max_steps=max_steps, seed=stream_key(problem.id) % 2**31)
        made = context.rollout(mind, list(mind.work.trace.of("sampled")), ", ".join(episode.actions), index=index)
        made.outcome = episode.score
        return made

    async def rollout(problem: Problem, context: Context, k: int) -> Group:
        return list(await asyncio.gather(*(one(problem, context, index) for index in range(k))))

    return rollout


async def none(problem: Problem, context: Context, k: int) -> Group:
    """No rollouts at all: the recipe learns from examples (`augment`)."""
    return []
