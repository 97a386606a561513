"""The slots of a batch: for each how far it is, its random numbers, how it is drawn from, and what was written so far.

Arrays by slot, so that one numpy call serves many rows, and so that they can lie in memory shared between processes.
`position` is what says how far a row is: what stands beyond it is written again by whoever goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.models.socrates import sampling
from nosce.models.socrates.network import Floats, Ids, Network
from nosce.models.socrates.rows import Row

Field = tuple[tuple[int, ...], str]
"""Dimensions and type of an array."""


@dataclass(frozen=True, slots=True)
class Slots:
    """State of every slot."""

    position: Ids  # [S] of the token that is read next
    last: Ids  # [S] position after which the row is full
    temperature: Floats  # [S]
    top_p: Floats  # [S]
    ends: NDArray[np.bool_]  # [S, V] whether a token ends the row
    written: Ids  # [S, context + 1] tokens by position, from the last of the prompt on
    draws: NDArray[np.float64]  # [S, context] what the row's stream gives for the token after a position
    logprobs: Floats  # [S, context] of that token
    entropies: Floats  # [S, context] of what it was chosen from
    logits: Floats  # [S, V] the latest

    @staticmethod
    def fields(network: Network, slots: int) -> list[Field]:
        """Dimensions and types of the arrays, in their order."""
        each, words, places = (slots,), (slots, network.vocab_size), (slots, network.context)
        return [
            *((each, kind) for kind in ("i8", "i8", "f4", "f4")),
            (words, "?"), ((slots, network.context + 1), "i8"), (places, "f8"), (places, "f4"), (places, "f4"), (words, "f4"),
        ]  # fmt: skip

    @classmethod
    def of(cls, arrays: Sequence[NDArray[Any]]) -> Slots:
        """Slots on arrays as `fields` tells them."""
        return cls(*arrays)

    def enter(self, slot: int, row: Row) -> None:
        """A row begins: the last token of its prompt is read next."""
        vocabulary, context = self.ends.shape[1], self.draws.shape[1]
        start = len(row.prompt) - 1
        self.written[slot, start], self.position[slot] = row.prompt[-1], start
        self.last[slot] = start + min(row.max_new, context - len(row.prompt))
        self.draws[slot, start:] = sampling.uniforms(sampling.stream(row.key), np.arange(context - start))
        self.temperature[slot], self.top_p[slot] = row.temperature, row.top_p
        self.ends[slot] = False
        self.ends[slot, [token for token in row.stop if 0 <= token < vocabulary]] = True

    def move(self, source: int, target: int) -> None:
        """A row goes on in another slot."""
        for each in fields(self):
            array = getattr(self, each.name)
            array[target] = array[source]

    def tokens(self, here: slice) -> Ids:
        """What some slots read next."""
        return self.written[np.arange(here.start, here.stop), self.position[here]]

    def choose(self, here: slice, shaped: bool, bias: Mapping[int, Floats] | None = None) -> NDArray[np.bool_]:
        """Choose the next tokens of some slots from their logits, and note them; returns which rows are at their end.

        `shaped`: not all temperatures are 1, or not all nuclei whole. `bias` [V] by slot is added to the logits first;
        what is noted is the model's own.
        """
        every, position, plain = np.arange(here.start, here.stop), self.position[here], sampling.Distribution.of(self.logits[here])
        weights = self._weights(here, bias or {}) if shaped or bias else plain.weights
        tokens = sampling.choose(weights, self.draws[every, position])
        self.logprobs[every, position] = plain.logprobs(tokens)
        self.entropies[every, position] = plain.entropies()
        self.written[every, position + 1] = tokens
        position += 1
        return self.ends[every, tokens] | (position >= self.last[here])

    def ended(self, count: int) -> NDArray[np.bool_]:
        """Which of the first `count` slots have chosen a token that ends them."""
        here = slice(0, count)
        found: NDArray[np.bool_] = self.ends[np.arange(count), self.tokens(here)]
        return found

    def _weights(self, here: slice, bias: Mapping[int, Floats]) -> Floats:
        logits, top_p = self.logits[here], self.top_p[here]
        if bias:
            logits = logits.copy()
            for slot, added in bias.items():
                logits[slot - here.start] += added
        weights = sampling.tempered(logits, self.temperature[here])
        cut = np.flatnonzero(top_p < 1)
        if len(cut):
            weights[cut] = sampling.nucleus(weights[cut], top_p[cut])
        return weights
