"""A problem of many steps: what was seen, what was done, what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from nosce.core.cost import Cost


@dataclass(frozen=True, slots=True)
class Step:
    """One action: the observation it was chosen on, its reward, and whether it ended the episode."""

    observation: str
    action: str
    reward: float = 0.0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """One way through an environment.

    `goal` is what was to be done, `final` the observation after the last step. `seed` and the steps' actions replay
    it. An episode that is not done was cut by its limit of steps or by its budget.
    """

    environment: str
    seed: int
    steps: tuple[Step, ...] = ()
    goal: str = ""
    final: str = ""
    cost: Cost = field(default_factory=Cost)
    trace_id: str = ""

    @property
    def score(self) -> float:
        """Sum of the rewards."""
        return sum(step.reward for step in self.steps)

    @property
    def done(self) -> bool:
        """Whether the environment ended it."""
        return bool(self.steps) and self.steps[-1].done

    @property
    def actions(self) -> tuple[str, ...]:
        """What was done, in order."""
        return tuple(step.action for step in self.steps)
