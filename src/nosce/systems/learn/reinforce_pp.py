"""REINFORCE++: one spread for the whole batch."""

from __future__ import annotations

from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.credit import over_batch
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe

CLAIM = Claim(
    statement="One spread for the whole batch ends within a point of GRPO with as many rollout tokens.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("reinforce++", "reinforce++", family="learn", claim=CLAIM)
def reinforce_pp(*, clip: float = 0.2, kl: float = 0.0) -> Recipe:
    """REINFORCE++ with the group's mean as the baseline: A = (r − mean of the group) / spread over the whole batch.

    One spread for all groups: a group with a single odd rollout does not get a larger step than one that is half right. Loss:
    clipped surrogate, mean over all tokens.
    """
    return Recipe(
        credit=over_batch(kl=kl), loss=partial(streams, low=clip, high=clip, over="token"),
        needs=frozenset({"ref"} if kl else ()),
        golden={"rewards": [[1.0, 0.0], [1.0, 1.0]], "advantages": [[1.41381, -1.41381], [0.0, 0.0]]},
    )  # fmt: skip
