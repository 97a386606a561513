"""S237 Negative sample reinforcement: learn from what was wrong."""

from __future__ import annotations

from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.losses import streams
from nosce.learn.recipe import Credit, Recipe
from nosce.learn.rollout import Group

NEGATIVE = Claim(
    statement="Trained on its wrong samples alone, the model solves at least as many problems in 16 draws as after GRPO.",
    endpoint="pass_at_k", baseline="grpo", margin=-0.01, seeds=(0, 1, 2), options={"draws": 16}, fidelity="code",
)  # fmt: skip
POSITIVE = Claim(
    statement="Trained on its right samples alone, the model solves fewer problems in 16 draws than on its wrong ones alone.",
    endpoint="-pass_at_k", baseline="nsr", seeds=(0, 1, 2), options={"draws": 16}, fidelity="code",
)  # fmt: skip
WEIGHTED = Claim(
    statement="With right samples at a tenth of the weight, one draw is as good as after GRPO.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S237", "nsr", claim=NEGATIVE)
def nsr() -> Recipe:
    """Push down the wrong samples, and nothing else: A = −1 where the outcome is wrong, no advantage where it is right.

    The probability taken from a wrong answer goes to what the model itself holds likely, so variety stays.
    Loss: −A log π over all tokens with an advantage (one update a batch, so the ratio is 1).
    Source: S237 "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning".
    """
    return _signed(right=None, wrong=-1.0)


@recipe("S237", "nsr", part="psr", claim=POSITIVE)
def psr() -> Recipe:
    """Push up the right samples, and nothing else: A = 1 where the outcome is right, no advantage where it is wrong.

    Source: S237 "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning".
    """
    return _signed(right=1.0, wrong=None)


@recipe("S237", "nsr", part="w-reinforce", claim=WEIGHTED)
def w_reinforce(*, weight: float = 0.1) -> Recipe:
    """REINFORCE with the right samples weighed down: A = λ where right, −1 where wrong; λ is `weight`, 0.1 as published.

    Source: S237 "The Surprising Effectiveness of Negative Reinforcement in LLM Reasoning".
    """
    return _signed(right=weight, wrong=-1.0)


def _signed(right: float | None, wrong: float | None) -> Recipe:
    return Recipe(
        credit=signed(right, wrong), loss=partial(streams, low=float("inf"), high=float("inf"), over="token"),
        golden={"rewards": [1.0, 0.0], "advantages": [right or 0.0, wrong or 0.0]},
    )  # fmt: skip


def signed(right: float | None, wrong: float | None) -> Credit:
    """One advantage for right rollouts, one for wrong; None leaves them out."""

    def credit(groups: list[Group], context: Context) -> None:
        for rollout in (rollout for group in groups for rollout in group):
            advantage = right if rollout.reward > 0.5 else wrong
            if advantage is not None:
                rollout.reinforce(advantage)

    return credit
