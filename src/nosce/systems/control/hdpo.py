"""S168 HDPO (Metis): tool thrift learned among right answers alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import standardised
from nosce.learn.grounds import TOOLS
from nosce.learn.losses import policy_gradient
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

CLAIM = Claim(
    statement="Two decoupled advantages cut the calculator calls per question by at least half against outcome-only GRPO.",
    endpoint="saved calls", baseline="grpo", margin=0.5, seeds=(0, 1, 2), options=TOOLS, taught=True, fidelity="code",
    analogue_of="tools of a multimodal agent (here: a calculator)",
)  # fmt: skip


@recipe("S168", "hdpo-metis", claim=CLAIM)
def hdpo(*, weight: float = 0.15, clip: float = 0.2, format_share: float = 0.1) -> Recipe:
    """L = L_acc + w · L_tool: GRPO on accuracy over the whole group, GRPO on thrift among its right rollouts only.

    r_acc = 0.9 · right + 0.1 · format; r_tool = 1/(T + 1) for T tool calls, compared where at least two rollouts are right (else
    0), L_tool averaged over the rollouts that have a signal. Thrift is never traded for a right answer. w = 0 is GRPO on r_acc.
    Source: S168 "Act Wisely: Cultivating Meta-Cognitive Tool Use in Agentic Multimodal Models". The released code compares T = 0
    too, though its text says rollouts that used tools; so does this.
    """
    return Recipe(
        reward=partial(channels, share=format_share), weights={"thrift": 0.0}, credit=two_channels,
        loss=partial(decoupled, weight=weight, clip=clip), columns={"calls": calls},
        golden={"calls": [0, 1, 3], "r_tool": [1.0, 0.5, 0.25]},
    )  # fmt: skip


def calls(rollout: Rollout) -> float:
    """Tool calls of the rollout: after each the thought goes on in a turn of its own."""
    return float(sum(turn.act == "extend" for turn in rollout.turns))


def thrift(rollout: Rollout) -> float:
    """r_tool = 1/(T + 1)."""
    return 1.0 / (calls(rollout) + 1)


def channels(group: Group, context: Context, *, share: float) -> dict[str, list[float | None]]:
    """Accuracy with format, and the thrift of right rollouts."""
    right = [(rollout.outcome or 0.0) > 0.5 for rollout in group]
    accuracy: list[float | None] = [
        (1 - share) * good + share * (rollout.answer is not None) for good, rollout in zip(right, group, strict=True)
    ]
    return {"accuracy": accuracy, "thrift": [thrift(r) if good else None for good, r in zip(right, group, strict=True)]}


def two_channels(groups: list[Group], context: Context) -> None:
    """The accuracy advantage in the streams; the thrift advantage and its weight beside them."""
    for group in groups:
        gains = standardised(np.array([rollout.rewards["accuracy"] or 0.0 for rollout in group]))
        for rollout, gain in zip(group, gains, strict=True):
            rollout.reinforce(float(gain))
        right = [rollout for rollout in group if rollout.rewards["thrift"] is not None]
        saved = standardised(np.array([rollout.rewards["thrift"] or 0.0 for rollout in right])) if len(right) > 1 else ()
        for rollout, gain in zip(right, saved, strict=False):
            for turn in rollout.turns:
                turn.extra["thrift"] = np.full(len(turn.tokens), gain, dtype=np.float32)
                turn.extra["thrifty"] = np.full(len(turn.tokens), 1.0 / max(rollout.length, 1), dtype=np.float32)


def decoupled(logp: Any, batch: Batch, *, weight: float, clip: float) -> tuple[Any, dict[str, Any]]:
    """L_acc as in GRPO, and w times the clipped surrogate of thrift, mean over tokens, then over rollouts."""
    accuracy, parts = policy_gradient(logp, batch, low=clip, high=clip, over="sequence")
    if "thrift" not in batch.extra:
        return accuracy, {**parts, "accuracy_loss": accuracy.detach()}
    ratio, gain = (logp - batch.old).exp(), batch.extra["thrift"]
    kept = (ratio * gain).minimum(ratio.clamp(1 - clip, 1 + clip) * gain)
    saving = -(batch.extra["thrifty"] * kept).sum() / batch.counts.rollouts
    return accuracy + weight * saving, {**parts, "accuracy_loss": accuracy.detach(), "tool_loss": saving.detach()}
