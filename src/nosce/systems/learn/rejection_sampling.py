"""Rejection sampling (STaR): imitate one's own right answers."""

from __future__ import annotations

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group

CLAIM = Claim(
    statement="Imitating its own right answers, a model ends with more right answers than imitating as many gold solutions.",
    endpoint="accuracy", baseline="sft", fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("rejection-sampling", "rejection-sampling", family="learn", claim=CLAIM)
def rejection_sampling(*, threshold: float = 0.5) -> Recipe:
    """Keep the rollouts whose outcome is above `threshold`, the same text once, and fine-tune on them by cross-entropy.

    Every step draws anew with the current weights (expert iteration with short rounds); wrong rollouts teach nothing.
    """

    def credit(groups: list[Group], context: Context) -> None:
        for group in groups:
            told: set[tuple[tuple[int, ...], ...]] = set()
            for rollout in group:
                said = tuple(turn.tokens for turn in rollout.turns)
                if rollout.reward > threshold and said not in told:
                    told.add(said)
                    for turn in rollout.turns:
                        turn.imitate()

    return Recipe(credit=credit)
