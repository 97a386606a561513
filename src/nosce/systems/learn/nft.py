"""S100 NFT: wrong samples as supervised data for an implicit negative policy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

CLAIM = Claim(
    statement="Fine-tuning on right and wrong samples ends within a point of GRPO.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S100", "nft", claim=CLAIM)
def nft(*, floor: float = 1.0, low: float = 0.02, high: float = 0.98) -> Recipe:
    """Maximum likelihood of right samples under π and of wrong ones under the policy that is left when π is taken out of π_old.

    With q the group's share right (kept in [`low`, `high`]) and R = π/π_old per token: right −log R; wrong
    −log((1 − qR)/(1 − q)), its argument not below `floor` (the gradient passes through). Each question weighs 1 − q.
    At R = 1 the gradient is that of REINFORCE with A = r − q: strictly on policy it is GRPO without its spread.
    Source: S100 "Bridging Supervised Learning and Reinforcement Learning in Math Reasoning".
    """
    return Recipe(
        credit=partial(split, low=low, high=high), loss=partial(negative_aware, floor=floor),
        golden={"outcomes": [1.0, 0.0, 0.0, 0.0], "advantages": [0.75, -0.25, -0.25, -0.25]},
    )  # fmt: skip


def split(groups: list[Group], context: Context, *, low: float, high: float) -> None:
    """Write each token's question rate and side; groups that are all right or all wrong teach nothing."""
    for group in groups:
        right = [rollout.reward > 0.5 for rollout in group]
        if any(right) and not all(right):
            q = float(np.clip(np.mean(right), low, high))
            for rollout, good in zip(group, right, strict=True):
                for turn in rollout.turns:
                    turn.reinforce(1.0)
                    turn.extra["rate"] = np.full(len(turn.tokens), q, dtype=np.float32)
                    turn.extra["right"] = np.full(len(turn.tokens), float(good), dtype=np.float32)


def negative_aware(logp: Any, batch: Batch, *, floor: float) -> tuple[Any, dict[str, Any]]:
    """Mean over tokens of (1 − q) · [−log R where right, −log((1 − qR)/(1 − q)) where wrong]."""
    q, right = batch.extra["rate"], batch.extra["right"]
    ratio = (logp - batch.old).exp()
    left = (1 - q * ratio) / (1 - q)
    left = left + (left.clamp(min=floor) - left).detach()
    each = right * -ratio.log() + (1 - right) * -left.log()
    loss = ((1 - q) * each * batch.rl).sum() / batch.counts.rl
    return loss, {"nft_loss": loss.detach()}
