"""A policy that asks a model which action to take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.core.episode import Step
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.environments.policies import Policy
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind


class ModelPolicy:
    """Shows the model the goal, what it sees and what it may do, and lets it choose (the act choose).

    Raises CapabilityError for a model that does not choose. `temperature` None is the act's own, 0.
    """

    def __init__(self, mind: Mind, goal: str, temperature: float | None = None) -> None:
        if "choose" not in mind.dialect.acts:
            raise CapabilityError("act choose", mind.model.spec, ["a chat model", "a scripted policy, e.g. Blunderer(world)"])
        self.mind, self.goal, self.temperature = mind, goal, temperature

    async def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator) -> str:
        """The action that the model names; the first one when it names none."""
        problem, given = situation(self.mind, self.goal, observation), Given(notes=tuple(notes), options=tuple(actions))
        made = await self.mind.attempts("choose", problem, given, temperature=self.temperature)
        return str(self.mind.dialect.read("choose", made[0], problem, given) or actions[0])


def policy_of(mind: Mind, goal: str, policy: Policy | None) -> Policy:
    """The given policy, else the model's own."""
    return ModelPolicy(mind, goal) if policy is None else policy


def asks_model(policy: Policy) -> bool:
    """Whether the policy is played by a model, which can then be asked other things about what it does."""
    return isinstance(policy, ModelPolicy)


def situation(mind: Mind, goal: str, observation: str) -> Problem:
    """One moment in a world as a question."""
    return Problem(mind.work.problem.id, f"{goal} {observation} What do you do next?")


def told(steps: Sequence[Step], final: str = "") -> str:
    """What happened, in words: what was seen and done at each step, and how it ended."""
    lines = [f"{step.observation} → {step.action}" for step in steps]
    return "\n".join(lines + ([final] if final else []))
