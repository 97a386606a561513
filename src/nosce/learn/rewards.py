"""The reward stage: named channels, one value a rollout."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from nosce.core.errors import InputError
from nosce.learn.rollout import Group, Rollout

if TYPE_CHECKING:
    from nosce.learn.context import Context

Channels = Mapping[str, Sequence[float | None]]


def correct(group: Group, context: Context) -> Channels:
    """One channel, `outcome`: the problem's own check."""
    return {"outcome": [rollout.outcome for rollout in group]}


def each(**channels: Callable[[Rollout], float | None]) -> Callable[[Group, Context], Channels]:
    """Channels from functions of one rollout: `each(outcome=…, brier=…)`."""

    def reward(group: Group, context: Context) -> Channels:
        return {name: [channel(rollout) for rollout in group] for name, channel in channels.items()}

    return reward


def outcome(rollout: Rollout) -> float | None:
    """The problem's own check, as a channel."""
    return rollout.outcome


def first_right(rollout: Rollout) -> float:
    """The outcome of the answer that the first turn gave, whatever came of it later."""
    return rollout.problem.check(rollout.turns[0].answer) if rollout.turns else 0.0


def brier(rollout: Rollout) -> float | None:
    """−(c − y)² of the stated confidence c against the outcome y, in [−1, 0]: a proper scoring rule; None without either."""
    if rollout.confidence is None or rollout.outcome is None:
        return None
    return -((rollout.confidence - rollout.outcome) ** 2)


def settle(group: Group, channels: Channels, weights: Mapping[str, float]) -> None:
    """Put the channels into the rollouts. Raises InputError for a wrong number of values, or one that is no finite number."""
    for name, values in channels.items():
        if len(values) != len(group):
            raise InputError(f"reward channel {name!r} gave {len(values)} values for {len(group)} rollouts; expected one each")
        for rollout, value in zip(group, values, strict=True):
            if value is not None and not math.isfinite(value):
                where = f"reward channel {name!r} is {value} on problem {rollout.problem.id}"
                raise InputError(f"{where}; expected a finite number or None")
            rollout.rewards[name] = None if value is None else float(value)
    for rollout in group:
        rollout.weights = dict(weights)
