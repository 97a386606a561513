"""RLOO: REINFORCE with the mean of the other rollouts as the baseline."""

from __future__ import annotations

from functools import partial
from math import inf

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.credit import leave_one_out, per_group
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe

CLAIM = Claim(
    statement="A baseline of the other rollouts, without a clip, ends within a point of GRPO with as many rollout tokens.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("rloo", "rloo", family="learn", claim=CLAIM)
def rloo(*, kl: float = 0.0) -> Recipe:
    """REINFORCE leave-one-out: A_i = r_i − mean of the other rewards of the group; no clipping.

    Loss: −A · log π of the whole rollout (a sum over its tokens), mean over rollouts. A group is never split: its baseline is
    made of all its rollouts, whatever the pieces in which the gradient is computed.
    """
    return Recipe(
        credit=per_group(leave_one_out, kl=kl), loss=partial(streams, low=inf, high=inf, over=1),
        needs=frozenset({"ref"} if kl else ()),
        golden={"rewards": [1.0, 0.0, 0.0, 0.0], "advantages": [1.0, -1 / 3, -1 / 3, -1 / 3]},
    )  # fmt: skip
