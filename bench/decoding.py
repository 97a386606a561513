"""Decoding of the bundled model: numpy against `transformers` generate on the same weights, in tokens/s.

Both sample at temperature 1 from the same prompts (32 tokens, 64 new ones, no stop token), take turns in one process
and are summed up by medians. Where the weights are not there yet, a random network of the same shape stands in: time
does not depend on their values. `agreement` is the share of rows that come out token for token the same alone and in a
batch of 64.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from nosce.models.socrates.decoder import Decoder, Row
from nosce.models.socrates.network import Network
from nosce.models.socrates.threads import blas_threads

PROMPT, NEW = 32, 64
FLOORS = {1: 5.0, 64: 3.0, 256: 2.0}


def random_weights(folder: Path) -> Path:
    """A random network of the bundled model's shape, saved by transformers."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256, hidden_size=128, num_hidden_layers=5, num_attention_heads=4, intermediate_size=344,
        max_position_embeddings=256, tie_word_embeddings=True, rope_theta=10000.0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def prompts(network: Network, count: int) -> list[list[int]]:
    """Random prompts of PROMPT tokens."""
    ids: list[list[int]] = np.random.default_rng(count).integers(0, network.vocab_size, (count, PROMPT)).tolist()
    return ids


def ours(decoder: Decoder, ids: list[list[int]]) -> float:
    """Seconds for NEW tokens after each prompt, prefill included, by a decoder that lives on, as a model's does."""
    start = time.perf_counter()
    rows = decoder.run([Row(key, prompt, max_new=NEW) for key, prompt in enumerate(ids)])
    seconds = time.perf_counter() - start
    assert all(len(row.tokens) == NEW for row in rows)
    return seconds


def theirs(model: Any, ids: list[list[int]], threads: int) -> float:
    """The same through `generate`, with so many torch threads."""
    import torch

    torch.set_num_threads(threads)
    batch = torch.tensor(ids)
    start = time.perf_counter()
    with torch.inference_mode():
        found = model.generate(
            batch, attention_mask=torch.ones_like(batch), do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
            min_new_tokens=NEW, max_new_tokens=NEW, pad_token_id=0,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    assert found.shape[1] == PROMPT + NEW
    return seconds


def agreement(network: Network, count: int = 256) -> float:
    """Share of rows whose tokens are the same decoded one by one and 64 at a time."""
    ids = prompts(network, count)
    one, many = (
        Decoder(network, slots).run([Row(key, prompt, max_new=NEW, temperature=0.7) for key, prompt in enumerate(ids)])
        for slots in (1, 64)
    )
    return sum(a.tokens == b.tokens for a, b in zip(one, many, strict=True)) / count


def run(weights: Path | None = None, rounds: int = 7) -> dict[str, Any]:
    """For each batch size the tokens/s of both (medians over interleaved rounds), their ratio, and what it must reach.

    `generate` gets one torch thread or one a core, whichever was faster in a first run: beside other work threads only wait.
    """
    from transformers import LlamaForCausalLM

    with tempfile.TemporaryDirectory() as scratch:
        folder = weights or random_weights(Path(scratch))
        network = Network.load(folder)
        model = LlamaForCausalLM.from_pretrained(folder).float().eval()
        model.generation_config.eos_token_id = None
    found: dict[str, Any] = {"prompt_tokens": PROMPT, "new_tokens": NEW, "rounds": rounds, "cores": os.cpu_count() or 1}
    for batch, floor in FLOORS.items():
        found[f"batch_{batch}"] = _compare(network, model, prompts(network, batch), rounds) | {"at_least": floor}
    found["agreement_1_and_64"] = agreement(network)
    return found


def _compare(network: Network, model: Any, ids: list[list[int]], rounds: int) -> dict[str, float]:
    decoder = Decoder(network, slots=len(ids))  # its lanes: as OMP_NUM_THREADS or the cores allow
    ours(decoder, ids)
    threads = min(sorted({1, blas_threads()}), key=lambda count: theirs(model, ids, count))
    pairs = [(ours(decoder, ids), theirs(model, ids, threads)) for _ in range(rounds)]
    decoder.close()
    mine, other = (len(ids) * NEW / statistics.median(side) for side in zip(*pairs, strict=True))
    return {
        "numpy_tokens_per_s": round(mine),
        "transformers_tokens_per_s": round(other),
        "transformers_threads": threads,
        "ratio": round(mine / other, 2),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if sys.argv[1:] else None), indent=2))
