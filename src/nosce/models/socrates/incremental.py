"""One token at a time: the key–value cache, and the pass that adds one position to each of many sequences.

Written for speed. Every intermediate has its place in memory before the step begins, and each line is one numpy call
into it. What decides the time of a large batch is how the cache is read, so each product of attention is one matrix
product a sequence over memory in one piece: the queries of its heads stand in a block diagonal matrix [H, G · head],
which meets all keys of the sequence at once (and its blocks of the product with the values are the heads' results).
Products with the weights go through eight sequences at a time, the size that OpenBLAS multiplies without first copying
the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nosce.models.socrates.network import Edit, Floats, Ids, Network, padded

GROWTH = 32
"""Positions added when the cache is too short."""
ASIDE = 16
"""Positions that are never used: they keep the keys of one position from falling into the same few sets of the
processor's cache (an odd number of its lines apart, not a power of two)."""
BLOCK = 8
"""Sequences in one product with the weights."""
LEAST = np.float32(1e-30)
"""A smaller sum of exp(score) may have lost digits."""


class KeyValueCache:
    """For every layer the keys [slots, G · head, room] and the values [slots, room, G · head].

    `room` grows with the longest sequence up to the context. What lies beyond a sequence's length is finite but
    meaningless. `memory` [size()] is where everything is kept, by default a place of its own.
    """

    def __init__(self, network: Network, slots: int, memory: Floats | None = None) -> None:
        self.network = network
        self.slots = slots
        self.room = 0
        self.keys: list[Floats] = []
        self.values: list[Floats] = []
        self._memory = memory
        self.reserve(1)

    @staticmethod
    def size(network: Network, slots: int) -> int:
        """Numbers held at most."""
        shape = network.shape
        return 2 * shape.layers * slots * _room(shape.context) * shape.groups * shape.head

    def reserve(self, length: int) -> None:
        """Make room for `length` positions in every slot."""
        if length <= self.room - ASIDE:
            return
        before = [*self.keys, *self.values]
        if self._memory is not None:
            before = [array.copy() for array in before]
        self.see(_room(length))
        for new, old in zip([*self.keys, *self.values], before, strict=bool(before)):
            new[:, : old.shape[1], : old.shape[2]] = old

    def see(self, room: int) -> None:
        """Take the memory to have room for so many positions, as another process that shares it does."""
        if room == self.room:
            return
        shape, self.room = self.network.shape, room
        wide = shape.groups * shape.head
        size = self.slots * room * wide
        memory = np.zeros(2 * shape.layers * size, dtype=np.float32) if self._memory is None else self._memory
        parts = [memory[at * size : (at + 1) * size] for at in range(2 * shape.layers)]
        self.keys = [part.reshape(self.slots, wide, room) for part in parts[: shape.layers]]
        self.values = [part.reshape(self.slots, room, wide) for part in parts[shape.layers :]]

    def fill(self, prompts: Sequence[Sequence[int]], slots: Ids, source: Ids) -> None:
        """Run `prompts` once each; slot `slots[i]` receives what prompt `source[i]` left."""
        ids = padded(prompts)
        count, length = ids.shape
        self.reserve(length)

        def keep(layer: int, fresh: Floats) -> None:
            keys, values = np.split(fresh.reshape(count, length, -1), 2, axis=-1)
            self.keys[layer][slots, :, :length] = keys.swapaxes(1, 2)[source]
            self.values[layer][slots, :length] = values[source]

        self.network.forward(ids, keep=keep, only_keep=True)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of one slot to another."""
        for keys, values in zip(self.keys, self.values, strict=True):
            keys[target, :, :length] = keys[source, :, :length]
            values[target, :length] = values[source, :length]

    def fork(self) -> KeyValueCache:
        """An independent copy."""
        twin = KeyValueCache(self.network, self.slots)
        twin.room = self.room
        twin.keys, twin.values = [keys.copy() for keys in self.keys], [values.copy() for values in self.values]
        return twin


def _room(length: int) -> int:
    return -(-length // GROWTH) * GROWTH + ASIDE


class Stepper:
    """Adds one position to a run of neighbouring slots. Holds the scratch memory, so one thread uses it at a time."""

    def __init__(self, network: Network, most: int) -> None:
        shape, blocks = network.shape, -(-most // BLOCK) * BLOCK
        width = {
            "x": shape.width, "unit": shape.width, "change": shape.width, "norm": 1,
            "qkv": (shape.heads + 2 * shape.groups) * shape.head, "mixed": shape.heads * shape.head,
            "turned": (shape.heads + shape.groups) * shape.head,
            "query": shape.heads * shape.groups * shape.head, "met": shape.heads * shape.groups * shape.head,
            "gate": shape.inner, "up": shape.inner, "inner": shape.inner, "logits": shape.vocabulary,
        }  # fmt: skip
        self.network = network
        self.rows = 0
        self._store = {name: np.zeros((blocks, size), dtype=np.float32) for name, size in width.items()}
        self._turns = np.empty((blocks, (shape.heads + shape.groups) * shape.head // 2), dtype=np.complex64)
        self._weights = np.empty(most * shape.heads * shape.context, dtype=np.float32)
        self._sums = np.empty((shape.layers, blocks, shape.heads), dtype=np.float32)
        self._epsilon, self._one = np.float32(shape.width * shape.epsilon), np.ones(1, dtype=np.float32)
        self._ones = np.ones(shape.context, dtype=np.float32)
        self._ahead = np.arange(shape.context)
        self._careful = False

    def step(
        self, cache: KeyValueCache, first: int, tokens: Ids, positions: Ids, edits: Mapping[int, Edit] | None = None
    ) -> Floats:
        """Logits [B, V] after `tokens` [B] at `positions` [B] of the slots first … first + B − 1.

        The result is scratch memory, overwritten by the next step. `edits[k]` changes hidden state k [B, d] in place.
        The cache must have room for the largest position.

        exp(score) is taken without subtracting the largest score first, which is the same unless a sum leaves the range
        of float32. Should one do so, the step is made again with the subtraction, and so are all later ones.
        """
        if len(tokens) != self.rows:
            self._resize(len(tokens))
        np.copyto(self.turn, self.network.rotation.take(positions, 0, mode="clip")[:, None])
        here, reach = slice(first, first + self.rows), self._reach(positions)
        if self._careful or edits:
            return self._pass(cache, here, tokens, reach, edits or {}, careful=True)
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self._pass(cache, here, tokens, reach, {}, careful=False)
        if np.minimum.reduce(self.sums, None) > LEAST and np.maximum.reduce(self.sums, None) < np.inf:
            return logits
        self._careful = True
        return self._pass(cache, here, tokens, reach, {}, careful=True)

    def _resize(self, rows: int) -> None:
        """Views of the scratch memory for a batch of `rows`. In products they are filled up to whole blocks with zeros."""
        shape, at = self.network.shape, {name: array[:rows] for name, array in self._store.items()}
        grouped, wide = (rows, shape.groups, shape.heads // shape.groups), shape.groups * shape.head
        self.rows = rows
        self.x, self.unit, self.change, self.norm, self.square = at["x"], at["unit"], at["change"], at["norm"], at["norm"][:, 0]
        self.gate, self.up, self.inner = at["gate"], at["up"], at["inner"]
        heads = shape.heads * shape.head
        self.asked, self.value = at["qkv"][:, :-wide].view(np.complex64), at["qkv"][:, -wide:]  # queries and keys; values
        self.turned, self.turns = at["turned"].view(np.complex64), self._turns[:rows]
        self.turn = self.turns.reshape(rows, -1, shape.head // 2)
        self.queries, self.key = at["turned"][:, :heads].reshape(*grouped, shape.head), at["turned"][:, heads:]
        self.query, self.met = at["query"].reshape(rows, shape.heads, wide), at["met"].reshape(rows, shape.heads, wide)
        self.query_blocks = _diagonal(at["query"], grouped, shape.head)
        self.met_blocks = _diagonal(at["met"], grouped, shape.head)
        self.mixed = at["mixed"].reshape(*grouped, shape.head)
        self.sums = self._sums[:, :rows]
        self.sum_of = [(each, each.reshape(*grouped, 1)) for each in self.sums]
        for name in ("unit", "mixed", "inner"):
            self._store[name][rows:] = 0
        self.blocks = {name: _blocks(array, rows) for name, array in self._store.items()}
        self.product: Callable[[Floats, Floats, Floats], Any] = np.dot if rows <= BLOCK else np.matmul

    def _reach(self, positions: Ids) -> _Reach:
        longest = int(np.maximum.reduce(positions))
        weights = self._weights[: self.sums[0].size * (longest + 1)].reshape(self.rows, -1, longest + 1)
        if self.rows == 1 or int(np.minimum.reduce(positions)) == longest:
            return _Reach(longest + 1, slice(None), longest, weights, None)
        mask = np.zeros((self.rows, 1, longest + 1), dtype=np.float32)
        mask[:, 0][self._ahead[: longest + 1] > positions[:, None]] = -np.inf
        return _Reach(longest + 1, np.arange(self.rows), positions, weights, mask)

    def _pass(
        self, cache: KeyValueCache, here: slice, tokens: Ids, reach: _Reach, edits: Mapping[int, Edit], *, careful: bool
    ) -> Floats:
        network, x, change, product = self.network, self.x, self.change, self.product
        unit, qkv, mixed, gate, up, inner, changes = (
            self.blocks[name] for name in ("unit", "qkv", "mixed", "gate", "up", "inner", "change")
        )
        network.embedding.take(tokens, 0, x, "clip")
        if 0 in edits:
            edits[0](x)
        for index, layer in enumerate(network.layers):
            self._normalise()
            product(unit, layer.qkv, qkv)
            self._attend(cache.keys[index][here], cache.values[index][here], reach, *self.sum_of[index], careful)
            product(mixed, layer.out, changes)
            np.add(x, change, x)
            self._normalise()
            product(unit, layer.gate, gate)
            product(unit, layer.up, up)
            self._gate()
            product(inner, layer.down, changes)
            np.add(x, change, x)
            if index + 1 in edits:
                edits[index + 1](x)
        self._normalise()
        product(unit, network.head, self.blocks["logits"])
        return self._store["logits"][: self.rows]

    def _normalise(self) -> None:
        """unit ← x / √(Σx² + d·ε); gain and √d are in the weights that follow."""
        square = self.square
        np.vecdot(self.x, self.x, square)
        np.add(square, self._epsilon, square)
        np.sqrt(square, square)
        np.divide(self.x, self.norm, self.unit)

    def _attend(self, keys: Floats, values: Floats, reach: _Reach, total: Floats, divisor: Floats, careful: bool) -> None:
        """mixed ← softmax(query · keys) · values, the new key and value stored first."""
        length, rows, places, weights, mask = reach.length, reach.rows, reach.places, reach.weights, reach.mask
        np.multiply(self.asked, self.turns, self.turned)
        np.copyto(self.query_blocks, self.queries)
        keys[rows, :, places] = self.key
        values[rows, places] = self.value
        np.matmul(self.query, keys[:, :, :length], weights)
        if mask is not None:
            np.add(weights, mask, weights)
        if careful:
            np.subtract(weights, np.maximum.reduce(weights, -1, keepdims=True), weights)
        np.exp(weights, weights)
        np.vecdot(weights, self._ones[:length], total)
        np.matmul(weights, values[:, :length], self.met)
        np.divide(self.met_blocks, divisor, self.mixed)

    def _gate(self) -> None:
        """inner ← silu(g) · up = h·(1 + tanh h)·up, with h = g/2 as the weights give it."""
        inner = self.inner
        np.tanh(self.gate, inner)
        np.add(inner, self._one, inner)
        np.multiply(inner, self.gate, inner)
        np.multiply(inner, self.up, inner)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far attention reads and where the new position stands.

    `keys[rows, :, places]` is where it stands in the cache, `weights` [B, H, length] the memory for what attention weighs
    with, `mask` [B, 1, length] −∞ beyond each row's own length where rows differ.
    """

    length: int
    rows: Any
    places: Any
    weights: Floats
    mask: Floats | None


def _blocks(array: Floats, rows: int) -> Floats:
    """The first rows as [B, width], or as [⌈B / BLOCK⌉, BLOCK, width] where they are more than one block."""
    if rows <= BLOCK:
        return array[:rows]
    return array[: -(-rows // BLOCK) * BLOCK].reshape(-1, BLOCK, array.shape[1])


def _diagonal(array: Floats, grouped: tuple[int, int, int], head: int) -> Floats:
    """From [B, H · G · head]: each head's block in the columns of its own group, [B, G, H/G, head]."""
    _, groups, ratio = grouped
    wide, item = groups * head, array.itemsize
    strides = (array.strides[0], (ratio * wide + head) * item, wide * item, item)
    return as_strided(array, (*grouped, head), strides)
