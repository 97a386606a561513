"""Dr. GRPO: GRPO done right, without the two divisions that bias it."""

from __future__ import annotations

from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.credit import centred, per_group
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe

CLAIM = Claim(
    statement="Without the two divisions GRPO ends within a point of itself, with as many rollout tokens.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("dr-grpo", "dr-grpo", family="learn", claim=CLAIM)
def dr_grpo(*, clip: float = 0.2, length: int = 120, kl: float = 0.0) -> Recipe:
    """A = r − mean r within the group, no division by the spread (it favours too easy and too hard problems).

    Loss: clipped surrogate summed over tokens and divided by a constant `length`, not by each rollout's own (which favours long
    wrong answers), mean over rollouts.
    """
    return Recipe(
        credit=per_group(centred, kl=kl), loss=partial(streams, low=clip, high=clip, over=length),
        needs=frozenset({"ref"} if kl else ()),
        golden={"rewards": [1.0, 0.0, 0.0, 0.0], "advantages": [0.75, -0.25, -0.25, -0.25]},
    )  # fmt: skip
