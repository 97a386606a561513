"""The bundled model as a torch module, with the key names of transformers' LlamaForCausalLM.

It reads two layouts. `forward` takes packed trees: a token sees the tokens before it in its own document that lie on its own
branch or on one of its ancestors, so one question carries several thoughts and one attempt several acts without seeing each
other. `read` takes sequences that share prompts, laid flat: every different token goes through the matrices once, without padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of the decoder; `context` is the longest position it is trained on."""

    vocabulary: int
    width: int = 128
    layers: int = 5
    heads: int = 4
    hidden: int = 344
    context: int = 256
    theta: float = 10000.0

    def as_config(self) -> dict[str, object]:
        """The config.json that transformers reads."""
        return {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": self.vocabulary,
            "hidden_size": self.width, "intermediate_size": self.hidden, "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads, "num_key_value_heads": self.heads, "head_dim": self.width // self.heads,
            "max_position_embeddings": self.context, "rope_theta": self.theta, "rms_norm_eps": 1e-6,
            "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True,
            "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 8, "torch_dtype": "float16",
        }  # fmt: skip


def rotation(shape: Shape, positions: Tensor) -> tuple[Tensor, Tensor]:
    """cos and sin of the rotary angles: (rows, 1, tokens, head width), halves repeated as Llama does."""
    half = shape.width // shape.heads // 2
    rates = shape.theta ** (-torch.arange(half, device=positions.device, dtype=torch.float32) / half)
    angles = positions[:, None, :, None].float() * rates
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply the rotation to (rows, heads, tokens, head width)."""
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat([-right, left], -1) * sin


@dataclass
class Tree:
    """Attention over packed trees: mask (rows, 1, tokens, tokens)."""

    mask: Tensor
    cos: Tensor
    sin: Tensor
    heads: int

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of (rows, tokens, width) each."""
        rows, tokens, width = q.shape
        q, k, v = (x.view(rows, tokens, self.heads, -1).transpose(1, 2) for x in (q, k, v))
        mixed = F.scaled_dot_product_attention(rotate(q, self.cos, self.sin), rotate(k, self.cos, self.sin), v, attn_mask=self.mask)
        return mixed.transpose(1, 2).reshape(rows, tokens, width)


def taken(x: Tensor, places: Tensor) -> Tensor:
    """Rows of x, some of them often. Looked up as embeddings are: the way back adds up in one order, whatever the threads."""
    return F.embedding(places, x)


@dataclass
class Flat:
    """Attention over sequences that are index lists (rows, length) into one flat list of tokens (padded on the right).

    `home` names, for every flat token, one place (row · length + position) where its result is read.
    """

    sequences: Tensor
    home: Tensor
    cos: Tensor
    sin: Tensor
    heads: int

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attention of (tokens, width) each."""
        tokens, width = q.shape
        parts = (x.view(tokens, self.heads, -1) for x in (q, k, v))
        q, k, v = (self._unfolded(x).transpose(1, 2) for x in self._turned(*parts))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return mixed.transpose(1, 2).reshape(-1, width).index_select(0, self.home)

    def _unfolded(self, x: Tensor) -> Tensor:
        """Rows of sequences [rows, length, heads, head width] from flat tokens."""
        return taken(x.flatten(1), self.sequences).view(*self.sequences.shape, self.heads, -1)

    def _turned(self, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return rotate(q, self.cos, self.sin), rotate(k, self.cos, self.sin), v


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            self.add_module(name, nn.Linear(shape.width, shape.width, bias=False))

    def forward(self, x: Tensor, layout: Tree | Flat) -> Tensor:
        mixed = layout.mix(self.q_proj(x), self.k_proj(x), self.v_proj(x))
        return self.o_proj(mixed)


class Feed(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down_proj = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.width, eps=1e-6)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, eps=1e-6)
        self.mlp = Feed(shape)

    def forward(self, x: Tensor, layout: Tree | Flat) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), layout)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=1e-6)


class Decoder(nn.Module):
    """Llama-style decoder over packed trees; the output matrix is the embedding."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                scale = 0.02 if "embed" in name else weight.shape[1] ** -0.5
                nn.init.normal_(weight, std=scale / (2 * shape.layers) ** 0.5 if "o_proj" in name or "down" in name else scale)

    def forward(self, tokens: Tensor, positions: Tensor, document: Tensor, branch: Tensor, ancestors: Tensor) -> Tensor:
        """Logits (rows, tokens, vocabulary). All inputs are (rows, tokens) whole numbers."""
        layout = Tree(tree_mask(document, branch, ancestors), *rotation(self.shape, positions), self.shape.heads)
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, layout)
        return self.logits(self.model.norm(x))

    def logits(self, final: Tensor) -> Tensor:
        """Logits of normalised last states; the output matrix is the embedding."""
        return F.linear(final, self.model.embed_tokens.weight)

    def read(self, prompts: Sequence[Sequence[int]], replies: Sequence[Sequence[int]]) -> Tensor:
        """Normalised last states (tokens of all replies, width): where each reply's next token is predicted from.

        Sequence i is prompts[i] + replies[i]; a prompt that several share is read once.
        """
        tokens, positions, sequences, home, wanted = flattened(prompts, replies)
        cos, sin = rotation(self.shape, positions[None])
        layout = Flat(sequences, home, cos[0].transpose(0, 1), sin[0].transpose(0, 1), self.shape.heads)
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, layout)
        return self.model.norm(taken(x, wanted))


def flattened(prompts: Sequence[Sequence[int]], replies: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The flat layout of sequences prompt + reply: different tokens, their positions, index lists [rows, longest] into them,
    each one's home (row · longest + position), and for every reply token the flat token before it. Last tokens predict nothing
    and are left out."""
    tokens: list[int] = []
    positions: list[int] = []
    home: list[int] = []
    wanted: list[int] = []
    rows: list[list[int]] = []
    known: dict[tuple[int, ...], list[int]] = {}
    longest = max(len(p) + len(r) - 1 for p, r in zip(prompts, replies, strict=True))

    def put(ids: Sequence[int], row: int, start: int) -> list[int]:
        first = len(tokens)
        tokens.extend(ids)
        positions.extend(range(start, start + len(ids)))
        home.extend(range(row * longest + start, row * longest + start + len(ids)))
        return list(range(first, first + len(ids)))

    for row, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        key = tuple(prompt)
        if key not in known:
            known[key] = put(key, row, 0)
        line = known[key] + put(reply[:-1], row, len(prompt))
        wanted.extend(line[len(prompt) - 1 :])
        rows.append(line + [0] * (longest - len(line)))
    found = torch.tensor(tokens), torch.tensor(positions), torch.tensor(rows), torch.tensor(home), torch.tensor(wanted)
    return found


def tree_mask(document: Tensor, branch: Tensor, ancestors: Tensor) -> Tensor:
    """(rows, 1, tokens, tokens): earlier, same document, and on the own branch or an ancestor (a bit set)."""
    tokens = document.shape[1]
    before = torch.ones(tokens, tokens, dtype=torch.bool, device=document.device).tril()
    same = document[:, :, None] == document[:, None, :]
    visible = (ancestors[:, :, None] >> branch[:, None, :]) & 1
    return (before & same & (visible == 1))[:, None]


def describe(shape: Shape) -> dict[str, object]:
    """The sizes as plain data, for checkpoints."""
    return asdict(shape)


def load(folder: Path) -> Decoder:
    """The decoder of a folder with `config.json` and `model.safetensors`, in single precision."""
    import json

    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = Shape(
        config["vocab_size"], config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"],
        config["intermediate_size"], config["max_position_embeddings"], float(config.get("rope_theta", 10000.0)),
    )  # fmt: skip
    model = Decoder(shape)
    model.load_state_dict({name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()})
    return model
