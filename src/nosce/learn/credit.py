"""The credit stage: from rewards to an advantage for every token. Pure: groups in, streams written, whole groups at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nosce.learn.rollout import Group, rewards_of

if TYPE_CHECKING:
    from nosce.learn.context import Context

Numbers = NDArray[np.float64]
Advantages = Callable[[Numbers], Numbers]

SOFT = 1e-4
"""Added to the spread of a group's rewards before dividing by it."""


def centred(rewards: Numbers) -> Numbers:
    """r − mean(r): Dr. GRPO's advantage."""
    found: Numbers = rewards - rewards.mean()
    return found


def standardised(rewards: Numbers) -> Numbers:
    """(r − mean(r)) / (std(r) + 1e-4), the spread with n − 1: GRPO's advantage. All-equal or single rewards give 0."""
    spread = rewards.std(ddof=1) if len(rewards) > 1 else 0.0
    return centred(rewards) / (spread + SOFT)


def leave_one_out(rewards: Numbers) -> Numbers:
    """r_i − mean of the others: RLOO's advantage. A single reward gives 0."""
    return centred(rewards) * len(rewards) / max(len(rewards) - 1, 1)


def per_group(advantages: Advantages, *, kl: float = 0.0) -> Callable[[list[Group], Context], None]:
    """Credit that gives every token of a rollout the advantage of its reward within its group."""

    def credit(groups: list[Group], context: Context) -> None:
        for group in groups:
            for rollout, advantage in zip(group, advantages(rewards_of(group)), strict=True):
                rollout.reinforce(float(advantage), kl=kl)

    return credit


def group_relative(groups: list[Group], context: Context) -> None:
    """GRPO's credit."""
    per_group(standardised)(groups, context)


def over_batch(*, kl: float = 0.0) -> Callable[[list[Group], Context], None]:
    """REINFORCE++'s credit with the group mean as baseline: centred in the group, divided by the spread of the whole batch."""

    def credit(groups: list[Group], context: Context) -> None:
        apart = [centred(rewards_of(group)) for group in groups]
        spread = float(np.concatenate(apart).std()) if apart else 0.0
        for group, values in zip(groups, apart, strict=True):
            for rollout, value in zip(group, values, strict=True):
                rollout.reinforce(float(value) / (spread + SOFT), kl=kl)

    return credit
