"""Who acts: the protocol of a policy, and scripted ones that know the world and may blunder."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nosce.core.errors import InputError
from nosce.environments.text import Environment


class Policy(Protocol):
    """Chooses an action; a policy that asks a model returns an awaitable."""

    def propose(
        self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator
    ) -> str | Awaitable[str]:
        """One of `actions`, in the light of `notes`: tips, warnings and remedies, as text."""


def avoided(notes: Sequence[str], observation: str) -> set[str]:
    """The actions that notes of the form `avoid ACTION` or `avoid ACTION when OBSERVATION` speak against here."""
    found = set()
    for note in notes:
        if note.startswith("avoid "):
            action, when, place = note.removeprefix("avoid ").partition(" when ")
            if not when or place == observation:
                found.add(action)
    return found


def warning(action: str, observation: str = "") -> str:
    """The note that scripted policies heed."""
    return f"avoid {action} when {observation}" if observation else f"avoid {action}"


def _allowed(actions: Sequence[str], notes: Sequence[str], observation: str) -> list[str]:
    """The actions no note speaks against; all of them when notes speak against all."""
    against = avoided(notes, observation)
    return [action for action in actions if action not in against] or list(actions)


@dataclass(frozen=True, slots=True)
class Planner:
    """Knows the whole world and takes a best action; where a note speaks against it, any other."""

    world: Environment

    def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator) -> str:
        """The world's best action."""
        allowed = _allowed(actions, notes, observation)
        best = self.world.best_action()
        return best if best in allowed else allowed[int(rng.integers(len(allowed)))]


@dataclass(frozen=True, slots=True)
class Blunderer:
    """The planner, but with probability `rate` per step it walks into a danger, or errs at random where there is none.

    It heeds notes: a blunder that a note speaks against is not made. So what a system warns of shows in the score.
    """

    world: Environment
    rate: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise InputError(f"rate {self.rate}: expected a probability in [0, 1]")

    def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator) -> str:
        """A blunder with probability `rate`, else the plan."""
        allowed = _allowed(actions, notes, observation)
        if rng.random() < self.rate:
            blunders = [action for action in self.world.dangers() if action in allowed] or allowed
            return blunders[int(rng.integers(len(blunders)))]
        return Planner(self.world).propose(observation, actions, notes, rng)


@dataclass(frozen=True, slots=True)
class Wanderer:
    """Any action, evenly: the floor to compare with."""

    def propose(self, observation: str, actions: Sequence[str], notes: Sequence[str], rng: np.random.Generator) -> str:
        """One of the actions that no note speaks against."""
        allowed = _allowed(actions, notes, observation)
        return allowed[int(rng.integers(len(allowed)))]
