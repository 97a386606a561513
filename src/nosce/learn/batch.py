"""Turns laid flat: every stream is one vector over all the tokens that were written, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nosce.learn.rollout import Turn


@dataclass(slots=True)
class Counts:
    """Global counts of a whole update, whatever pieces it is computed in: what each part of a loss is divided by.

    rl, ce, kl: tokens with a weight in that stream; tokens: those run through the network; turns: turns with any weight;
    rollouts: those with an `rl` token.
    """

    rl: int = 1
    ce: int = 1
    kl: int = 1
    tokens: int = 1
    turns: int = 1
    rollouts: int = 1

    @classmethod
    def of(cls, turns: Sequence[Turn], owner: Sequence[int]) -> Counts:
        """Counts over all turns; at least 1 each, so that an absent part is 0 and not NaN. `owner` numbers their rollouts."""
        found = {name: sum(int(np.count_nonzero(getattr(turn, name))) for turn in turns) for name in ("rl", "ce", "kl")}
        rollouts = len({who for who, turn in zip(owner, turns, strict=True) if turn.rl.any()})
        tokens = sum(len(turn.tokens) for turn in turns)
        found |= {"tokens": tokens, "turns": len(turns), "rollouts": rollouts}
        return cls(**{name: max(n, 1) for name, n in found.items()})


@dataclass(slots=True)
class Batch:
    """What a loss sees, tensors [N] over the tokens of one piece of an update, in the engine's own array type.

    advantage, rl, ce, kl: the streams. old: log-probabilities before the update (the loss's own, detached, when there is one
    update a batch); ref: those of the reference, where the recipe needs them; seen: the sampler's (NaN where it gave none that
    compare). turn: which turn [N] of this piece a token is in, `turns` many; share: 1 / (tokens of its rollout that have an `rl`
    weight). extra: the turns' own vectors. counts: global (see Counts). logits [N, V], hidden [N, d] and head [N, V] (the logits,
    with a gradient for the output matrix alone) are there for a recipe that reads them.
    """

    advantage: Any
    rl: Any
    ce: Any
    kl: Any
    turn: Any
    share: Any
    turns: int
    counts: Counts
    old: Any = None
    ref: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    seen: Any = None
    logits: Any = None
    hidden: Any = None
    head: Any = None

    def by_turn(self, values: Any) -> Any:
        """Sum [turns] of values [N] over each turn."""
        return values.new_zeros(self.turns).index_add(0, self.turn, values)


def shares(turns: Sequence[Turn], owner: Sequence[int]) -> list[float]:
    """For each turn, 1 / (number of tokens with an `rl` weight in its whole rollout)."""
    lengths: dict[int, int] = {}
    for turn, who in zip(turns, owner, strict=True):
        lengths[who] = lengths.get(who, 0) + int(np.count_nonzero(turn.rl))
    return [1.0 / max(lengths[who], 1) for who in owner]


def pieces(turns: Sequence[Turn], most: int) -> list[list[int]]:
    """Indices of the turns in pieces of at most `most` tokens read and written (one bundle at least), like lengths together."""
    bundles: dict[tuple[bool, int], list[int]] = {}
    for i, turn in enumerate(turns):
        bundles.setdefault((turn.bundle is None, i if turn.bundle is None else turn.bundle), []).append(i)
    sized = sorted((sum(len(turns[i].prompt) + len(turns[i].tokens) for i in bundle), bundle) for bundle in bundles.values())
    found: list[list[int]] = []
    size = 0
    for length, bundle in sized:
        if not found or size + length > most:
            found.append([])
            size = 0
        found[-1].extend(bundle)
        size += length
    return found
