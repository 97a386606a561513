"""The bundled model as a torch module, with the key names of transformers' LlamaForCausalLM.

Rows are packed trees: a token sees the tokens before it in its own document that lie on its own branch or on one
of its ancestors, so one question carries several thoughts and one attempt several acts without seeing each other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

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


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            self.add_module(name, nn.Linear(shape.width, shape.width, bias=False))

    def forward(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        rows, tokens, width = x.shape
        q, k, v = (m(x).view(rows, tokens, self.heads, -1).transpose(1, 2) for m in (self.q_proj, self.k_proj, self.v_proj))
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, attn_mask=mask)
        return self.o_proj(mixed.transpose(1, 2).reshape(rows, tokens, width))


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

    def forward(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), mask, cos, sin)
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
        mask = tree_mask(document, branch, ancestors)
        cos, sin = rotation(self.shape, positions)
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, mask, cos, sin)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)


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
