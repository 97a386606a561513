"""S256 Intuitor: the only reward is how far the model's next-token distributions are from uniform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout

CLAIM = Claim(
    statement="Without a label the model ends within 3 points of GRPO with labels.",
    endpoint="accuracy", baseline="grpo", margin=-0.03, seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S256", "intuitor", claim=CLAIM)
def intuitor(*, clip: float = 0.2, kl: float = 0.005) -> Recipe:
    """GRPO on self-certainty: reward = mean over drawn tokens of KL(uniform ‖ π(·|prefix)) = −mean_v log π(v) − log V, in nats.

    Higher is surer; no labels. Kept near the start by `kl`. What it can do wrong is watched: surer and less often right (see
    nosce.learn.watch.alarms).
    Source: S256 "Learning to Reason without External Rewards".
    """
    return Recipe(
        signals=certain, reward=certainty, credit=per_group(standardised, kl=kl), labels=False,
        loss=partial(streams, low=clip, high=clip, over="sequence"), needs=frozenset({"self_certainty", *(("ref",) if kl else ())}),
    )  # fmt: skip


def certain(rollout: Rollout, context: Context) -> Mapping[str, float]:
    """Mean self-certainty over the drawn tokens; 0 without any."""
    said = [turn.extra.pop("self_certainty") for turn in rollout.turns]
    return {"self_certainty": float(np.concatenate(said).mean()) if said else 0.0}


def certainty(group: Group, context: Context) -> Mapping[str, Sequence[float | None]]:
    """The signal as the one channel."""
    return {"self_certainty": [rollout.signals["self_certainty"] for rollout in group]}
