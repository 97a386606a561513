"""GRPO: policy gradient with the group's own mean and spread as the baseline."""

from __future__ import annotations

from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe

CLAIM = Claim(
    statement="From the same weights, GRPO ends with more right answers than imitating as many gold solutions.",
    endpoint="accuracy", baseline="sft", fidelity="paper", seeds=(0, 1, 2, 3, 4),
)  # fmt: skip


@recipe("grpo", "grpo", family="learn", claim=CLAIM)
def grpo(*, clip: float = 0.2, kl: float = 0.0) -> Recipe:
    """Group relative policy optimisation: A = (r − mean r) / std r within the group, for every token of the rollout.

    Loss: clipped surrogate, mean over each rollout's tokens, then over rollouts; `kl` weighs the distance from the start.
    """
    return Recipe(
        credit=per_group(standardised, kl=kl), loss=partial(streams, low=clip, high=clip, over="sequence"),
        needs=frozenset({"ref"} if kl else ()),
        golden={"rewards": [1.0, 0.0, 0.0, 0.0], "advantages": [1.49970, -0.49990, -0.49990, -0.49990]},
    )  # fmt: skip
