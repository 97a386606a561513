"""What every world offers, and the wrapping of a Gymnasium environment into words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

from nosce.core.errors import CapabilityError, InputError


class Outcome(NamedTuple):
    """What an action led to."""

    observation: str
    reward: float
    done: bool


class Environment(Protocol):
    """A world in words. `reset` first; the same seed and actions lead to the same observations."""

    name: str
    goal: str

    def reset(self, seed: int) -> str:
        """Begin again; the first observation."""

    def actions(self) -> tuple[str, ...]:
        """What can be done now, in a fixed order; nothing once it is over."""

    def step(self, action: str) -> Outcome:
        """Do it. Raises InputError for an action that is not one of `actions`."""

    def clone(self) -> Environment:
        """An independent copy in the same state. Its luck is the same too: what it draws next, this one would draw."""

    def best_action(self) -> str:
        """What one who knows the whole world does: for scripted policies and tests, not for a policy that is measured."""

    def dangers(self) -> tuple[str, ...]:
        """The actions that are meant to go where the episode ends in failure; knows the whole world, as above."""


class GymWorld(ABC):
    """A Gymnasium environment in words. Subclasses say how it looks, what can be done, and what is wise."""

    name: str
    goal: str
    verbs: Mapping[str, int]
    """Action words to the environment's numbers."""

    def __init__(self) -> None:
        self._env: Any = None
        self._raw: Any = None
        self._seed = 0
        self._done: list[str] = []
        self._over = True

    @abstractmethod
    def _make(self, seed: int) -> Any:
        """The Gymnasium environment for a seed."""

    @abstractmethod
    def _describe(self, reward: float, ended: bool, cut: bool) -> str:
        """The state in words; `ended` by the world, `cut` by its limit of steps."""

    @abstractmethod
    def _fresh(self) -> GymWorld:
        """A world with the same parameters, not yet reset."""

    @abstractmethod
    def best_action(self) -> str:
        """See Environment."""

    @abstractmethod
    def dangers(self) -> tuple[str, ...]:
        """See Environment."""

    def reset(self, seed: int) -> str:
        """Begin again with the world of this seed."""
        if seed < 0:
            raise InputError(f"seed {seed}: expected a number >= 0")
        self._env, self._seed, self._done, self._over = self._make(seed), seed, [], False
        self._raw, _ = self._env.reset(seed=seed)
        return self._describe(0.0, False, False)

    def actions(self) -> tuple[str, ...]:
        """The action words; none once it is over."""
        return () if self._over else tuple(self.verbs)

    def step(self, action: str) -> Outcome:
        """Do it."""
        if action not in self.actions():
            reason = "it is over, or was never begun; reset first" if self._over else f"possible: {', '.join(self.verbs)}"
            raise InputError(f"{self.name}: no action {action!r}; {reason}")
        self._raw, reward, ended, cut, _ = self._env.step(self.verbs[action])
        self._done.append(action)
        self._over = bool(ended or cut)
        return Outcome(self._describe(float(reward), bool(ended), bool(cut)), float(reward), self._over)

    def clone(self) -> GymWorld:
        """A copy made by beginning again and doing the same."""
        if self._env is None:
            return self._fresh()
        copy = self._fresh()
        copy.reset(self._seed)
        for action in self._done:
            copy.step(action)
        return copy


def require(package: str) -> None:
    """Raise CapabilityError unless the package is installed."""
    if find_spec(package) is None:
        raise CapabilityError(package, "this installation", "the extra nosce[envs]: pip install 'nosce[envs]'")
