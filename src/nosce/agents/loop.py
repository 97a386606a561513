"""The loop between a policy and a world."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import isawaitable

import numpy as np

from nosce.core.episode import Episode, Step
from nosce.core.errors import InputError
from nosce.core.streams import stream_key
from nosce.environments.policies import Policy
from nosce.environments.text import Environment

_REFUSED = "You can't"


async def run_episode(
    env: Environment, policy: Policy, *, max_steps: int = 100, seed: int = 0, notes: Sequence[str] = ()
) -> Episode:
    """Reset the world to `seed` and let the policy act until it is over or `max_steps` actions were taken.

    A proposal that is no action of the world costs a step and changes nothing; the next observation says so. The
    policy's random numbers come from the seed and the number of the step alone. Raises InputError for max_steps < 1.
    """
    if max_steps < 1:
        raise InputError(f"max_steps={max_steps}: expected at least 1")
    seen = env.reset(seed)
    steps: list[Step] = []
    while len(steps) < max_steps and (actions := env.actions()):
        action = await propose(policy, seen, actions, notes, seed, len(steps))
        step, seen = act(env, seen, action)
        steps.append(step)
    return Episode(env.name, seed, tuple(steps), env.goal, seen)


async def propose(
    policy: Policy, observation: str, actions: Sequence[str], notes: Sequence[str], seed: int, step: int, draw: int = 0
) -> str:
    """What the policy proposes at one step; `draw` counts proposals at the same step."""
    rng = np.random.default_rng(stream_key("policy", seed, step, draw))
    proposal = policy.propose(observation, actions, notes, rng)
    return await proposal if isawaitable(proposal) else proposal


def act(env: Environment, observation: str, action: str) -> tuple[Step, str]:
    """Take one action: the step, and the next observation."""
    actions = env.actions()
    if action not in actions:
        seen = observation.partition("\n")[2] if observation.startswith(_REFUSED) else observation
        return Step(observation, action), f"{_REFUSED} {action[:40]!r}; possible: {', '.join(actions)}.\n{seen}"
    outcome = env.step(action)
    return Step(observation, action, outcome.reward, outcome.done), outcome.observation


def replay(env: Environment, episode: Episode) -> str:
    """Bring the world to the end of an episode; the last observation. Raises InputError when it is another world's."""
    if env.name != episode.environment:
        raise InputError(f"the episode belongs to {episode.environment}, not to {env.name}")
    seen = env.reset(episode.seed)
    for step in episode.steps:
        _, seen = act(env, seen, step.action)
    return seen
