"""One token at a time: the key–value cache, and the pass that adds one position to each of many sequences.

Written for speed: every intermediate has its place in memory before the step begins, each line is one numpy call with
`out=`, and attention reads only as far as the longest sequence of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nosce.models.socrates.network import Edit, Floats, Ids, Network, padded

GROWTH = 32
"""Positions added when the cache is too short."""


class KeyValueCache:
    """Keys and values of every layer, [slots, 2G, room, head] each: a slot's keys first, then its values.

    `room` grows with the longest sequence up to the context. What lies beyond a sequence's length is finite but
    meaningless.
    """

    def __init__(self, network: Network, slots: int) -> None:
        self.network = network
        self.slots = slots
        self.room = 0
        self.layers: list[Floats] = []
        self.reserve(1)

    def reserve(self, length: int) -> None:
        """Make room for `length` positions in every slot."""
        if length <= self.room:
            return
        shape = self.network.shape
        room = min(shape.context, -(-length // GROWTH) * GROWTH)
        size = (self.slots, 2 * shape.groups, room, shape.head)
        grown = [np.zeros(size, dtype=np.float32) for _ in range(shape.layers)]
        for old, new in zip(self.layers, grown, strict=False):
            new[:, :, : self.room] = old
        self.layers, self.room = grown, room

    def fill(self, prompts: Sequence[Sequence[int]], slots: Ids, source: Ids) -> None:
        """Run `prompts` once each; slot `slots[i]` receives what prompt `source[i]` left."""
        ids = padded(prompts)
        self.reserve(ids.shape[1])

        def keep(layer: int, fresh: Floats) -> None:
            self.layers[layer][slots, :, : ids.shape[1]] = fresh.swapaxes(1, 2)[source]

        self.network.forward(ids, keep=keep, only_keep=True)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` positions of one slot to another."""
        for layer in self.layers:
            layer[target, :, :length] = layer[source, :, :length]

    def fork(self) -> KeyValueCache:
        """An independent copy."""
        twin = KeyValueCache(self.network, self.slots)
        twin.layers, twin.room = [layer.copy() for layer in self.layers], self.room
        return twin


class Stepper:
    """Adds one position to a run of neighbouring slots. Holds the scratch memory, so one thread uses it at a time."""

    def __init__(self, network: Network, most: int) -> None:
        shape = network.shape
        self.network = network
        self._heads = shape.heads + 2 * shape.groups
        self._rotation = np.empty((most, 1, shape.head // 2), dtype=np.complex64)
        self._store: dict[str, Floats] = {
            "x": np.empty((most, shape.width), dtype=np.float32),
            "unit": np.empty((most, shape.width), dtype=np.float32),
            "change": np.empty((most, shape.width), dtype=np.float32),
            "norm": np.empty((most, 1), dtype=np.float32),
            "qkv": np.empty((most, self._heads * shape.head), dtype=np.float32),
            "mixed": np.empty((most, shape.heads * shape.head), dtype=np.float32),
            "both": np.empty((most, 2 * shape.inner), dtype=np.float32),
            "inner": np.empty((most, shape.inner), dtype=np.float32),
            "logits": np.empty((most, shape.vocabulary), dtype=np.float32),
            "peak": np.empty((most, shape.groups, shape.heads // shape.groups, 1), dtype=np.float32),
        }
        self._scores = np.empty(most * shape.heads * shape.context, dtype=np.float32)
        self._epsilon = np.float32(shape.width * shape.epsilon)
        self._ahead = np.arange(shape.context)
        self._resize(most)

    def _resize(self, rows: int) -> None:
        """Views of the scratch memory for a batch of `rows`."""
        shape, at = self.network.shape, {name: array[:rows] for name, array in self._store.items()}
        ratio = shape.heads // shape.groups
        self.rows = rows
        self.x, self.unit, self.change, self.norm = at["x"], at["unit"], at["change"], at["norm"]
        self.logits, self.both, self.inner, self.peak = at["logits"], at["both"], at["inner"], at["peak"]
        self.half, self.up = at["both"][:, : shape.inner], at["both"][:, shape.inner :]
        self.square = self.norm[:, 0]
        self.rotation, self.qkv, self.mixed = self._rotation[:rows], at["qkv"], at["mixed"]
        turning = self.qkv[:, : (shape.heads + shape.groups) * shape.head].view(np.complex64)
        self.turning = turning.reshape(rows, -1, shape.head // 2)
        heads = self.qkv.reshape(rows, -1, shape.head)
        self.query = heads[:, : shape.heads].reshape(rows, shape.groups, ratio, shape.head)
        self.fresh = heads[:, shape.heads :]
        self.mixed_heads = self.mixed.reshape(rows, shape.groups, ratio, shape.head)
        self.every = np.arange(rows)

    def step(
        self, cache: KeyValueCache, first: int, tokens: Ids, positions: Ids, edits: Mapping[int, Edit] | None = None
    ) -> Floats:
        """Logits [B, V] after `tokens` [B] at `positions` [B] of the slots first … first + B − 1.

        The result is scratch memory, overwritten by the next step. `edits[k]` changes hidden state k [B, d] in place.
        The cache must have room for the largest position.
        """
        if len(tokens) != self.rows:
            self._resize(len(tokens))
        network, groups = self.network, self.network.shape.groups
        length, mask = self._reach(positions)
        scores = self._scores[: self.peak.size * length].reshape(*self.peak.shape[:-1], length)
        network.embedding.take(tokens, axis=0, out=self.x, mode="clip")
        network.rotation.take(positions, axis=0, out=self.rotation[:, 0], mode="clip")
        if edits and 0 in edits:
            edits[0](self.x)
        for index, layer in enumerate(network.layers):
            here = cache.layers[index][first : first + self.rows]
            self._normalise()
            np.dot(self.unit, layer.qkv, out=self.qkv)
            np.multiply(self.turning, self.rotation, out=self.turning)
            here[self.every, :, positions] = self.fresh
            self._attend(here[:, :groups, :length], here[:, groups:, :length], scores, mask)
            np.dot(self.mixed, layer.out, out=self.change)
            np.add(self.x, self.change, out=self.x)
            self._normalise()
            np.dot(self.unit, layer.gate_up, out=self.both)
            self._gate()
            np.dot(self.inner, layer.down, out=self.change)
            np.add(self.x, self.change, out=self.x)
            if edits and index + 1 in edits:
                edits[index + 1](self.x)
        self._normalise()
        return np.dot(self.unit, network.head, out=self.logits)

    def _reach(self, positions: Ids) -> tuple[int, Floats | None]:
        """Longest length, and −∞ [B, 1, 1, T] beyond each row's own where they differ."""
        if self.rows == 1:
            return int(positions[0]) + 1, None
        longest = int(positions.max())
        if int(positions.min()) == longest:
            return longest + 1, None
        mask = np.zeros((self.rows, 1, 1, longest + 1), dtype=np.float32)
        mask[:, 0, 0][self._ahead[: longest + 1] > positions[:, None]] = -np.inf
        return longest + 1, mask

    def _normalise(self) -> None:
        """unit ← x / √(Σx² + d·ε); gain and √d are in the weights that follow."""
        norm = self.norm
        np.vecdot(self.x, self.x, out=self.square)
        np.add(norm, self._epsilon, out=norm)
        np.sqrt(norm, out=norm)
        np.divide(self.x, norm, out=self.unit)

    def _attend(self, keys: Floats, values: Floats, scores: Floats, mask: Floats | None) -> None:
        """mixed ← softmax(query · keysᵀ) · values, for keys and values [B, G, T, head]."""
        np.matmul(self.query, keys.swapaxes(2, 3), out=scores)
        if mask is not None:
            np.add(scores, mask, out=scores)
        np.maximum.reduce(scores, axis=-1, keepdims=True, out=self.peak)
        np.subtract(scores, self.peak, out=scores)
        np.exp(scores, out=scores)
        np.add.reduce(scores, axis=-1, keepdims=True, out=self.peak)
        np.matmul(scores, values, out=self.mixed_heads)
        np.divide(self.mixed_heads, self.peak, out=self.mixed_heads)

    def _gate(self) -> None:
        """inner ← silu(gate) · up = h·(1 + tanh h)·up, with h = gate/2 as the weights give it."""
        np.tanh(self.half, out=self.inner)
        np.add(self.inner, 1.0, out=self.inner)
        np.multiply(self.inner, self.half, out=self.inner)
        np.multiply(self.inner, self.up, out=self.inner)
