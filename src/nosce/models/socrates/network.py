"""The bundled decoder on numpy alone: its weights, and one causal pass over whole sequences.

    x ← embedding[ids];  per layer  x ← x + Attention(RMSNorm(x)),  x ← x + SwiGLU(RMSNorm(x));  logits = RMSNorm(x) ·
    headᵀ

Everything constant is multiplied into the weights once, at loading: the gains of the norms (and the √d of their mean),
the 1/√head_dim of attention, the ½ of SiLU written with tanh. Query and key columns are interleaved so that rotary
embedding is one complex product; a dot product does not notice the order of its terms. float32 throughout, equal to
`LlamaForCausalLM` within 1e-3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nosce.core.errors import InputError

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Edit = Callable[[Floats], None]
"""Changes hidden states [..., d] in place."""

SCORES_AT_ONCE = 1 << 21
"""Attention weights held at a time by a pass over many sequences (8 MB)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a Llama-style decoder, as `config.json` names them."""

    vocabulary: int
    context: int
    width: int
    layers: int
    heads: int
    groups: int  # key/value heads
    head: int  # width of one head
    inner: int  # width of the feed-forward layer
    epsilon: float
    theta: float
    tied: bool

    @classmethod
    def read(cls, path: Path) -> Shape:
        """Sizes from a `config.json`; InputError names a feature that this network does not have."""
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        rope: dict[str, Any] = config.get("rope_parameters") or config.get("rope_scaling") or {}
        _refuse(path, config, rope)
        heads = int(config["num_attention_heads"])
        return cls(
            vocabulary=int(config["vocab_size"]),
            context=int(config["max_position_embeddings"]),
            width=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            groups=int(config.get("num_key_value_heads") or heads),
            head=int(config.get("head_dim") or config["hidden_size"] // heads),
            inner=int(config["intermediate_size"]),
            epsilon=float(config.get("rms_norm_eps", 1e-6)),
            theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0),
            tied=bool(config.get("tie_word_embeddings", False)),
        )


def _refuse(path: Path, config: dict[str, Any], rope: dict[str, Any]) -> None:
    kind = rope.get("rope_type") or rope.get("type") or "default"
    odd = {
        "model_type": config.get("model_type", "llama") != "llama",
        "hidden_act": config.get("hidden_act", "silu") != "silu",
        "attention_bias": bool(config.get("attention_bias")),
        "mlp_bias": bool(config.get("mlp_bias")),
        "rope_parameters": kind != "default",
    }
    if wrong := [name for name, is_odd in odd.items() if is_odd]:
        raise InputError(
            f"{path}: {', '.join(wrong)}: the numpy network is a plain Llama decoder (silu, no biases, unscaled RoPE); "
            "load this model with `hf:PATH` instead"
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """One block, every constant folded in; each matrix is applied from the right, `rows @ matrix`."""

    qkv: Floats  # [d, (H + 2G) * head]
    out: Floats  # [H * head, d]
    gate: Floats  # [d, inner], halved
    up: Floats  # [d, inner]
    down: Floats  # [inner, d]


@dataclass(frozen=True, slots=True)
class Network:
    """Weights of a Llama-style decoder and its passes over whole sequences. Immutable, safe to share between threads.

    `hidden` states are numbered 0 … layers: 0 is the embedding, k the residual stream after the k-th layer, before the
    final norm. `final` is the normalised last state that the head reads: `logits = final @ lm_head.T`.
    """

    shape: Shape
    embedding: Floats  # [V, d]
    lm_head: Floats  # [V, d]
    gain: Floats  # [d], of the final norm
    head: Floats  # [d, V]; final gain and √d folded in
    layers: tuple[Layer, ...]
    rotation: NDArray[np.complex64]  # [context, head / 2]
    changes: list[int] = field(default_factory=lambda: [0])
    """How often the weights were changed in place; for whoever has a copy."""

    @classmethod
    def load(cls, folder: str | Path) -> Network:
        """Read `config.json` and `model.safetensors` (Hugging Face names, any float type numpy knows) from a folder."""
        from safetensors.numpy import load_file

        shape = Shape.read(Path(folder) / "config.json")
        return cls.from_tensors(shape, load_file(Path(folder) / "model.safetensors"))

    @classmethod
    def from_tensors(cls, shape: Shape, tensors: dict[str, NDArray[Any]]) -> Network:
        """Build from tensors under their Hugging Face names; KeyError names one that is missing."""
        get = {name: np.asarray(value, dtype=np.float32) for name, value in tensors.items()}.__getitem__
        embedding, gain = get("model.embed_tokens.weight"), get("model.norm.weight")
        lm_head = embedding if shape.tied else get("lm_head.weight")
        return cls(
            shape=shape,
            embedding=np.ascontiguousarray(embedding),
            lm_head=np.ascontiguousarray(lm_head),
            gain=gain,
            head=np.ascontiguousarray((lm_head * gain).T * np.float32(np.sqrt(shape.width))),
            layers=tuple(_fold(shape, get, f"model.layers.{index}.") for index in range(shape.layers)),
            rotation=_rotation(shape),
        )

    def load_weights(self, tensors: dict[str, NDArray[Any]]) -> None:
        """Take over other weights of the same shape, in place: whoever holds this network's arrays sees the new ones."""
        for mine, new in zip(self.arrays(), Network.from_tensors(self.shape, tensors).arrays(), strict=True):
            np.copyto(mine, new)
        self.changes[0] += 1

    def arrays(self) -> list[NDArray[Any]]:
        """Everything that the network is made of, in the order in which `of_arrays` takes it."""
        layers = (array for layer in self.layers for array in (layer.qkv, layer.out, layer.gate, layer.up, layer.down))
        return [self.embedding, self.lm_head, self.gain, self.head, self.rotation, *layers]

    @classmethod
    def of_arrays(cls, shape: Shape, arrays: Sequence[NDArray[Any]]) -> Network:
        """The network on arrays that lie elsewhere."""
        embedding, lm_head, gain, head, rotation, *rest = arrays
        layers = tuple(Layer(*rest[at : at + 5]) for at in range(0, len(rest), 5))
        return cls(shape, embedding, lm_head, gain, head, layers, rotation)

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""
        return self.shape.vocabulary

    @property
    def context(self) -> int:
        """Most positions a sequence may have."""
        return self.shape.context

    def forward(
        self,
        ids: Ids,
        *,
        keep: Callable[[int, Floats], None] | None = None,
        watch: Callable[[int, Floats], None] | None = None,
        only_keep: bool = False,
    ) -> Floats:
        """Residual stream [N, T, d] after the last layer, for sequences [N, T] padded on the right with any id.

        `keep(layer, keys_values)` receives [N, T, 2G, head] as the cache stores it; `watch(k, hidden)` the states 0 …
        layers and may edit them in place. `only_keep` leaves as soon as the last keys and values are known.
        """
        shape, (count, length) = self.shape, ids.shape
        if length > shape.context:
            raise InputError(f"a sequence of {length} tokens does not fit a context of {shape.context}")
        rotation = self.rotation[:length, None, :]
        hide = np.triu(np.full((length, length), -np.inf, dtype=np.float32), 1)
        x = self.embedding[ids]  # [N, T, d]; `rows` is the same memory, [N * T, d], for one product instead of N
        rows = x.reshape(-1, shape.width)
        if watch:
            watch(0, x)
        for index, layer in enumerate(self.layers):
            qkv = (_unit(rows, shape) @ layer.qkv).reshape(count, length, -1, shape.head)
            turned = qkv[:, :, : shape.heads + shape.groups].view(np.complex64)
            turned *= rotation
            if keep:
                keep(index, qkv[:, :, shape.heads :])
            if only_keep and index == shape.layers - 1:
                return x
            rows += _attend(qkv, hide, shape) @ layer.out
            unit = _unit(rows, shape)
            rows += _gated(unit @ layer.gate, unit @ layer.up) @ layer.down
            if watch:
                watch(index + 1, x)
        return x

    def final(self, hidden: Floats) -> Floats:
        """The final norm, RMSNorm(hidden), of last-layer states [..., d]."""
        mean = np.mean(np.square(hidden), axis=-1, keepdims=True) + np.float32(self.shape.epsilon)
        found: Floats = hidden / np.sqrt(mean) * self.gain
        return found

    def read_out(self, hidden: Floats) -> Floats:
        """Logits [..., V] of last-layer states [..., d] (before the final norm)."""
        return _unit(hidden, self.shape) @ self.head

    def logits(self, ids: ArrayLike) -> Floats:
        """Next-token logits [T, V] of one sequence [T], or [N, T, V] of [N, T] padded on the right."""
        array = np.asarray(ids, dtype=np.int64)
        found = self.read_out(self.forward(np.atleast_2d(array)))
        return found if array.ndim == 2 else found[0]

    def hidden(self, ids: ArrayLike, layer: int | None = None) -> Floats:
        """Residual stream of one sequence [T]: [layers + 1, T, d], or [T, d] of one layer (0 is the embedding)."""
        states: list[Floats] = []
        self.forward(np.atleast_2d(np.asarray(ids, dtype=np.int64)), watch=lambda _, x: states.append(x[0].copy()))
        return np.stack(states) if layer is None else states[layer]

    def next_logprobs(self, prompts: Sequence[Sequence[int]]) -> Floats:
        """Log-probabilities [N, V] of the token after each prompt; prompts may differ in length."""
        found = np.empty((len(prompts), self.vocab_size), dtype=np.float32)
        for rows, ids, lengths in self._batches(prompts):
            last = self.forward(ids)[np.arange(len(rows)), lengths - 1]
            found[rows] = log_softmax(self.read_out(last))
        return found

    def score(self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]) -> list[Floats]:
        """Log-probability (nats) of every continuation token, given its prompt and the tokens before it."""
        if len(prompts) != len(continuations):
            raise InputError(f"{len(prompts)} prompts but {len(continuations)} continuations; give one for each")
        whole = [[*prompt, *rest] for prompt, rest in zip(prompts, continuations, strict=True)]
        found: list[Floats] = [np.empty(0, dtype=np.float32)] * len(whole)
        for rows, ids, lengths in self._batches(whole):
            x = self.forward(ids)
            for place, row in enumerate(rows):
                start, stop = len(prompts[row]), int(lengths[place])
                table = log_softmax(self.read_out(x[place, start - 1 : stop - 1]))
                found[row] = table[np.arange(stop - start), ids[place, start:stop]]
        return found

    def _batches(self, sequences: Sequence[Sequence[int]]) -> Iterator[tuple[Ids, Ids, Ids]]:
        """Sequences of like length together, padded: (their places, ids [n, T], lengths [n])."""
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        if len(sequences) and lengths.min() < 1:
            raise InputError(f"prompt {int(lengths.argmin())} is empty; a prompt needs at least one token")
        order, start = np.argsort(lengths, kind="stable"), 0
        while start < len(order):
            stop = _fit(lengths[order], start, self.shape.heads)
            rows = order[start:stop]
            yield rows, padded([sequences[row] for row in rows]), lengths[rows]
            start = stop


def padded(sequences: Sequence[Sequence[int]]) -> Ids:
    """Sequences as one array [N, longest], filled up on the right with id 0."""
    ids = np.zeros((len(sequences), max(map(len, sequences))), dtype=np.int64)
    for row, sequence in zip(ids, sequences, strict=True):
        row[: len(sequence)] = sequence
    return ids


def log_softmax(logits: Floats) -> Floats:
    """log p over the last axis, in float32 with the largest logit taken off first."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    found: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def _fit(ascending: NDArray[np.int64], start: int, heads: int) -> int:
    """End of the batch that begins at `start`: as many sequences as `SCORES_AT_ONCE` allows, at least one."""
    stop = start + 1
    while stop < len(ascending) and (stop + 1 - start) * heads * int(ascending[stop]) ** 2 <= SCORES_AT_ONCE:
        stop += 1
    return stop


def _unit(x: Floats, shape: Shape) -> Floats:
    """x / √(Σx² + d·ε): RMSNorm without its gain and its √d, which are in the weights that follow."""
    norm = np.vecdot(x, x) + np.float32(shape.width * shape.epsilon)
    found: Floats = x / np.sqrt(norm)[..., None]
    return found


def _attend(qkv: Floats, hide: Floats, shape: Shape) -> Floats:
    """Causal attention of [N, T, H + 2G, head]; returns [N * T, H * head]."""
    count, length = qkv.shape[:2]
    grouped = (count, length, shape.groups, -1, shape.head)
    q = qkv[:, :, : shape.heads].reshape(grouped).transpose(0, 2, 3, 1, 4)  # [N, G, H/G, T, head]
    k = qkv[:, :, shape.heads : -shape.groups].transpose(0, 2, 3, 1)[:, :, None]  # [N, G, 1, head, T]
    v = qkv[:, :, -shape.groups :].transpose(0, 2, 1, 3)[:, :, None]  # [N, G, 1, T, head]
    scores = np.matmul(q, k)
    scores += hide
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    mixed = np.matmul(scores, v)
    mixed /= scores.sum(axis=-1, keepdims=True)
    found: Floats = mixed.transpose(0, 3, 1, 2, 4).reshape(count * length, -1)
    return found


def _gated(half: Floats, up: Floats) -> Floats:
    """SwiGLU: silu(g)·u = h·(1 + tanh h)·u with h = g/2, as the weights give it."""
    found: Floats = np.tanh(half)
    found += 1
    found *= half
    found *= up
    return found


def _fold(shape: Shape, get: Callable[[str], Floats], at: str) -> Layer:
    root = np.float32(np.sqrt(shape.width))
    first = get(at + "input_layernorm.weight") * root
    second = get(at + "post_attention_layernorm.weight") * root
    q = _interleaved(get(at + "self_attn.q_proj.weight"), shape) * np.float32(shape.head**-0.5)
    k = _interleaved(get(at + "self_attn.k_proj.weight"), shape)
    qkv = np.concatenate([q, k, get(at + "self_attn.v_proj.weight")])
    return Layer(
        qkv=np.ascontiguousarray((qkv * first).T),
        out=np.ascontiguousarray(get(at + "self_attn.o_proj.weight").T),
        gate=np.ascontiguousarray((get(at + "mlp.gate_proj.weight") * second * np.float32(0.5)).T),
        up=np.ascontiguousarray((get(at + "mlp.up_proj.weight") * second).T),
        down=np.ascontiguousarray(get(at + "mlp.down_proj.weight").T),
    )


def _interleaved(weight: Floats, shape: Shape) -> Floats:
    """Rows (i, i + head/2) of every head side by side: real and imaginary part of one rotating pair."""
    halves = weight.reshape(-1, 2, shape.head // 2, weight.shape[1])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def _rotation(shape: Shape) -> NDArray[np.complex64]:
    speed = shape.theta ** (-np.arange(0, shape.head, 2) / shape.head)
    turn: NDArray[np.complex64] = np.exp(1j * np.outer(np.arange(shape.context), speed)).astype(np.complex64)
    return turn
