"""S322 RLSC: sharpen towards what the model already holds likely."""

from __future__ import annotations

import math

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group, Rollout

CLAIM = Claim(
    statement="Twenty steps without labels end at least as high as rewarding agreement with the majority vote.",
    endpoint="accuracy", baseline="self-consistency-self-training-rl", seeds=(0, 1, 2), options={"steps": 20},
    fidelity="abstract",
)  # fmt: skip


@recipe("S322", "rlsc", claim=CLAIM)
def rlsc(*, alpha: float = 0.1) -> Recipe:
    """Maximise E_{y∼p}[p(y|x)], the chance that two draws are the same: loss −(p_old(y|x) + α) log p(y|x) on own samples.

    p_old(y|x) is the probability of the whole sample before the update, α ≥ 0 keeps unlikely samples in play. No labels, no
    negative samples; 16 samples a problem and few steps, as published.
    Source: S322 "Confidence Is All You Need: Few-Shot RL Fine-Tuning of Language Models".
    """

    def credit(groups: list[Group], context: Context) -> None:
        for rollout in (rollout for group in groups for rollout in group):
            for turn in rollout.turns:
                turn.imitate(likely(rollout) + alpha)

    return Recipe(credit=credit, labels=False, settings=Settings(batch=8, group=16))


def likely(rollout: Rollout) -> float:
    """Probability of the whole rollout under the weights that drew it, in [0, 1]."""
    return math.exp(sum(sum(turn.logprobs) for turn in rollout.turns))
