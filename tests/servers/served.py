"""Real servers, as processes on loopback, and a model for them to serve."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PYTHON = os.environ.get("NOSCE_SERVERS_PYTHON", sys.executable)
"""The interpreter that has the servers installed; may be another than the one that runs the tests."""


def needs(*modules: str) -> None:
    """Skip unless the servers' interpreter has these modules."""
    code = f"import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in {modules!r}))"
    if subprocess.run([PYTHON, "-c", code], check=False).returncode:
        pytest.skip(f"{', '.join(modules)} not installed for {PYTHON}; install nosce[servers] or set NOSCE_SERVERS_PYTHON")


def weights(folder: Path) -> Path:
    """The bundled weights where they are built, else a random network of the same kind; a copy that servers can read.

    In the copy control marks are ordinary tokens, so that a server shows them, and a chat is passed on as it is.
    """
    from nosce.models.socrates import tokenizer
    from nosce.models.socrates import weights as bundled
    from nosce.models.socrates_wire import TEMPLATE

    shipped = bundled("socrates")
    if (shipped / "model.safetensors").exists():
        shutil.copytree(shipped, folder, dirs_exist_ok=True)
    else:
        _random(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    cut = json.loads((folder / "tokenizer.json").read_text())
    cut["added_tokens"] = [{**t, "special": t["content"] in (tokenizer.END, tokenizer.PAD)} for t in cut["added_tokens"]]
    (folder / "tokenizer.json").write_text(json.dumps({**cut, "decoder": None}))
    return folder


def _random(folder: Path) -> None:
    torch = pytest.importorskip("torch", reason="the bundled weights are not built, and a random network needs nosce[local]")
    from transformers import LlamaConfig, LlamaForCausalLM

    from nosce.models.socrates import tokenizer

    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=len(tokenizer.VOCABULARY), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=256, tie_word_embeddings=False, bos_token_id=1, eos_token_id=8, pad_token_id=0,
    )  # fmt: skip
    network = LlamaForCausalLM(config)
    with torch.no_grad():
        network.lm_head.weight *= 20
        network.lm_head.weight[8] = 0
    folder.mkdir(parents=True, exist_ok=True)
    network.save_pretrained(folder)
    tokenizer.save(folder)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def process(command: list[str], port: int, log: Path) -> Iterator[str]:
    """Run a server until the block ends; gives its base address once `/health` or `/v1/models` answers."""
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=quiet) as server:
        try:
            _wait(server, port, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path, most: float = 170) -> None:
    ends = time.monotonic() + most
    while time.monotonic() < ends and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).read()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
