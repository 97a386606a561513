"""DPO: right answers preferred to wrong ones, without a reward model."""

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
    statement="Its own right answers preferred to its wrong ones, a model ends within a point of GRPO with as many rollout tokens.",
    endpoint="accuracy", baseline="grpo", margin=-0.01, fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("dpo", "dpo", family="learn", claim=CLAIM)
def dpo(*, beta: float = 0.1) -> Recipe:
    """Direct preference optimisation on own rollouts: −log σ(β[(log π − log π_ref)(right) − (log π − log π_ref)(wrong)]).

    Each group gives as many pairs as it has right or wrong rollouts, whichever are fewer; the mean is over pairs. The reference are
    the starting weights.
    """
    return Recipe(credit=paired, loss=partial(preference, beta=beta), needs=frozenset({"ref"}))


def paired(groups: list[Group], context: Context) -> None:
    """Number the pairs; `side` is +1 on the better rollout's tokens, −1 on the worse one's; `share` is 1 / pairs."""
    pairs = []
    for group in groups:
        ranked = sorted(group, key=lambda rollout: -rollout.reward)
        pairs += [(a, b) for a, b in zip(ranked, ranked[::-1], strict=True) if a.reward > b.reward]
    for number, (better, worse) in enumerate(pairs):
        for rollout, side in ((better, 1.0), (worse, -1.0)):
            for turn in rollout.turns:
                turn.bundle = number
                turn.extra["pair"] = np.full(len(turn.tokens), number, dtype=np.float32)
                turn.extra["side"] = np.full(len(turn.tokens), side, dtype=np.float32)
                turn.extra["share"] = np.full(len(turn.tokens), 1 / len(pairs), dtype=np.float32)


def preference(logp: Any, batch: Batch, *, beta: float) -> tuple[Any, dict[str, Any]]:
    """Mean over pairs of −log σ(β Σ side · (log π − log π_ref)), and the share of pairs in the right order."""
    pairs, place = batch.extra["pair"].unique(return_inverse=True)
    margin = logp.new_zeros(len(pairs)).index_add(0, place, batch.extra["side"] * (logp - batch.ref))
    share = logp.new_zeros(len(pairs)).scatter(0, place, batch.extra["share"])
    loss = (share * (-beta * margin).exp().log1p()).sum()
    ordered = (share * (margin.detach() > 0)).sum()
    return loss, {"dpo_loss": loss.detach(), "in_order": ordered}
