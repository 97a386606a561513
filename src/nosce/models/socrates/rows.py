"""The rows of a batch: what each asks for, and what is unusual about them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nosce.models.socrates.network import Edit, Floats


@dataclass(slots=True, eq=False)
class Row:
    """One sequence being decoded; the decoder fills its lists when it finishes or is cancelled.

    `key` is its random stream. Temperature 0 is greedy. `stop` holds token ids that end it (the stop token is kept as
    the last of `tokens`). `bias` is added to the logits: an array [V], or a function of the row called before every
    token, which finds the tokens so far in `tokens`. `steer` (k, vector [d]) is added to hidden state k (0 the
    embedding, k after the k-th layer) at every position that predicts a new token. `logprobs` and `entropies` (nats)
    are those of the model at temperature 1 before any bias; with `top` > 0 `topk` holds the likeliest ids and their
    log-probabilities for each token. `finish` is None while the row runs or when it was cancelled.
    """

    key: int
    prompt: Sequence[int]
    max_new: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    stop: frozenset[int] = frozenset()
    bias: Callable[[Row], Floats | None] | Floats | None = None
    steer: tuple[int, Floats] | None = None
    top: int = 0
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    topk: list[tuple[list[int], list[float]]] = field(default_factory=list)
    finish: Literal["stop", "length"] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is unusual about the rows of the batch; worked out when it changes, so that it costs nothing when unused."""

    shaped: bool
    biased: list[int]
    watching: list[int]  # rows whose bias is a function of the row
    topped: list[int]
    deltas: dict[int, Floats]  # hidden state → what to add to it [B, d]

    @classmethod
    def of(cls, rows: Sequence[Row], width: int) -> Plan:
        deltas: dict[int, Floats] = {}
        for slot, row in enumerate(rows):
            if row.steer is not None:
                deltas.setdefault(row.steer[0], np.zeros((len(rows), width), dtype=np.float32))[slot] = row.steer[1]
        biased = [slot for slot, row in enumerate(rows) if row.bias is not None]
        shaped = bool(biased) or any(row.temperature != 1 or row.top_p < 1 for row in rows)
        watching = [slot for slot in biased if callable(rows[slot].bias)]
        return cls(shaped, biased, watching, [slot for slot, row in enumerate(rows) if row.top], deltas)

    def edits(self, here: slice) -> dict[int, Edit] | None:
        return {layer: _adding(delta[here]) for layer, delta in self.deltas.items()} if self.deltas else None


def _adding(delta: Floats) -> Edit:
    def edit(x: Floats) -> None:
        x += delta

    return edit
