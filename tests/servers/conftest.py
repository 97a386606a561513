"""Two servers that nobody here wrote, each started once for all tests, with a copy of the bundled weights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import served


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOSCE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served.weights(tmp_path_factory.mktemp("served") / "socrates")


@pytest.fixture(scope="session")
def llama(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    served.needs("xllamacpp", "gguf")
    place, port = tmp_path_factory.mktemp("llama"), served.free_port()
    run = [served.PYTHON, "-m", "training.gguf", str(folder), str(place / "m.gguf")]
    root = Path(__file__).parents[2]
    served.subprocess.run(run, check=True, cwd=root, env={**served.os.environ, "PYTHONPATH": str(root / "src")})
    script = str(Path(__file__).with_name("llama_server.py"))
    with served.process([served.PYTHON, script, str(place / "m.gguf"), str(port)], port, place / "log") as url:
        yield url


@pytest.fixture(scope="session")
def transformers(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    served.needs("transformers", "torch", "fastapi", "uvicorn")
    port, log = served.free_port(), tmp_path_factory.mktemp("transformers") / "log"
    run = [served.PYTHON, "-c", "from transformers.cli.transformers import main; main()", "serve", "--host", "127.0.0.1"]
    with served.process([*run, "--port", str(port), "--device", "cpu", "--dtype", "float32", str(folder)], port, log) as url:
        yield url
