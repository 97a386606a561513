"""S377 Self-consistency as the reward: the majority of one's own answers stands in for the right one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.core.vote import tally
from nosce.learn.context import Context
from nosce.learn.credit import leave_one_out, per_group
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group

CLAIM = Claim(
    statement="Rewarded for agreeing with the majority, without a label, the model ends within 3 points of GRPO with labels.",
    endpoint="accuracy", baseline="grpo", margin=-0.03, seeds=(0, 1, 2),
)  # fmt: skip


@recipe("S377", "self-consistency-self-training-rl", claim=CLAIM)
def self_consistency_rl(*, clip: float = 0.2, alarm: float = 0.95) -> Recipe:
    """Reward 1 for an answer that is the plurality of its group's answers, else 0; A = reward − mean of the others (RLOO).

    No labels. It ends in collapse when the votes become one: a warning is given when the mean share of the winning answer passes
    `alarm`, and, where labels are there to look at, when reward and pass rate part (nosce.learn.watch.alarms).
    Source: S377 "Can Large Reasoning Models Self-Train?".
    """
    return Recipe(
        reward=majority, credit=per_group(leave_one_out), loss=partial(streams, low=clip, high=clip, over="token"), labels=False,
        watch=partial(agreed, alarm=alarm), golden={"answers": ["3", "4", "3", None], "rewards": [1.0, 0.0, 1.0, 0.0]},
    )  # fmt: skip


def majority(group: Group, context: Context) -> Mapping[str, Sequence[float | None]]:
    """Whether each rollout gives the group's most frequent answer; ties go to the one drawn first."""
    blocs = tally(group[0].problem, [rollout.answer for rollout in group])
    winners = set(blocs[0].members) if blocs else set()
    return {"agreement": [float(i in winners) for i in range(len(group))]}


def agreed(groups: list[Group], context: Context, *, alarm: float) -> Mapping[str, float]:
    """The mean share of the winning answer, and whether it is past the alarm."""
    share = float(np.mean([rollout.reward for group in groups for rollout in group])) if groups else 0.0
    return {"vote": share, "warn_all votes agree: what is confident and wrong stays so": share if share > alarm else 0.0}
