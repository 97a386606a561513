"""What tests of systems share: a scripted model, a tiny random network, and a way to run one system on one problem."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.streams import stream_key
from nosce.mind.engine import Engine, Solved
from nosce.mind.mind import prompt_text
from nosce.models.base import Capabilities, Model, Prompt, Sample
from nosce.models.replay import ReplayModel
from nosce.models.socrates.model import SocratesModel
from nosce.models.socrates.tokenizer import SocratesTokenizer

ALL = Capabilities(logprobs=True, top=20, n=True, seed=True, continuation=True)


def scripted(reply: Callable[[str, int], Sample | str], dialect: str = "chat", capabilities: Capabilities = ALL) -> ReplayModel:
    """A model whose k-th draw of a prompt is `reply(prompt text, k)`, k from 0."""
    seen: Counter[str] = Counter()

    def draw(prompt: Prompt, key: int) -> Sample:
        seen[prompt.key] += 1
        made = reply(prompt_text(prompt), seen[prompt.key] - 1)
        return Sample(made, prompt_tokens=10, completion_tokens=len(made.split())) if isinstance(made, str) else made

    return ReplayModel.of(draw, dialect=dialect, capabilities=capabilities)


def run(
    model: Model, name: str, problem: Problem, *, prepare: Sequence[Problem] = (), budget: Budget | None = None,
    seed: int = 0, **options: Any,
) -> Solved:  # fmt: skip
    """One strategy on one problem, prepared where it must be."""

    async def go() -> Solved:
        engine, system = Engine({"main": model}, budget or Budget(), seed=seed), registry.find(name)
        engine.check(system, options)
        artifact = await engine.prepare(system, prepare, prepare, options) if prepare else None
        return await engine.solve(problem, system, options, artifact)

    return asyncio.run(go())


def tiny_network(folder: Path, seed: int = 0) -> Path:
    """A random decoder of two layers over the bundled vocabulary, as files."""
    rng, d, inner, words = np.random.default_rng(seed), 32, 48, len(SocratesTokenizer())
    square = dict.fromkeys(("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"), (d, d))
    sizes = {**square, "mlp.gate_proj": (inner, d), "mlp.up_proj": (inner, d), "mlp.down_proj": (d, inner)}
    tensors = {"model.embed_tokens.weight": rng.normal(0, 0.5, (words, d)), "model.norm.weight": np.ones(d)}
    for layer in range(2):
        at = f"model.layers.{layer}."
        tensors |= {f"{at}{name}.weight": rng.normal(0, 0.2, size) for name, size in sizes.items()}
        tensors |= {f"{at}{norm}.weight": np.ones(d) for norm in ("input_layernorm", "post_attention_layernorm")}
    save_file({name: value.astype(np.float32) for name, value in tensors.items()}, folder / "model.safetensors")
    config = {
        "model_type": "llama", "vocab_size": words, "max_position_embeddings": 256, "hidden_size": d, "intermediate_size": inner,
        "num_hidden_layers": 2, "num_attention_heads": 2, "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(name="scripted")
def _scripted() -> Callable[..., ReplayModel]:
    return scripted


@pytest.fixture(name="run")
def _run() -> Callable[..., Solved]:
    return run


@pytest.fixture
def organism(tmp_path: Path) -> SocratesModel:
    """A random network that speaks the bundled model's dialect."""
    return SocratesModel(str(tiny_network(tmp_path)), dialect="socrates")


@pytest.fixture
def key_of() -> Callable[..., int]:
    """The stream key of one draw."""
    return stream_key
