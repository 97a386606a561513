"""The seam for an engine that is far away: a loss evaluated here, its gradient taken there.

A Tinker-API server (hosted, or self-hosted on SkyRL) returns log-probabilities and accepts a weighted cross-entropy. Because a
recipe's loss sees the model only through log-probabilities, the two are enough: with w = −dL/dlogp held fixed, the cross-entropy
Σ w · (−log π) · (−1) has the gradient of L. One more forward pass is the price (1.5 times the compute).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.learn.batch import Counts, shares
from nosce.learn.recipe import Loss
from nosce.learn.rollout import Floats, Turn


def cross_entropy_weights(
    turns: Sequence[Turn], owner: Sequence[int], logp: Sequence[Floats], loss: Loss
) -> tuple[list[Floats], float]:
    """−dL/dlogp for every token of every turn, from the log-probabilities that a server gave, and the loss itself.

    Imitating the tokens with these weights (a sum, not a mean; negative weights push away) changes the model as the loss would.
    """
    import torch

    from nosce.learn.torch_engine import laid_flat

    leaf = torch.from_numpy(np.concatenate(logp)).requires_grad_(True)
    batch = laid_flat(turns, shares(turns, owner), Counts.of(turns, owner))
    batch.old = leaf.detach() if batch.old is None else batch.old
    value, _ = loss(leaf, batch)
    value.backward()
    cut = np.cumsum([len(turn.tokens) for turn in turns])[:-1]
    return [part.astype(np.float32) for part in np.split(-leaf.grad.numpy(), cut)], float(value.detach())
