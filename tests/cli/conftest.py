"""A folder with a tiny random network and a few questions: what every command of these tests works on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.systems.conftest import tiny_network

from nosce.cli.app import run

MODEL = "socrates-tiny/"


@pytest.fixture(name="here")
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / MODEL).mkdir()
    tiny_network(tmp_path / MODEL)
    for name, first in (("questions", 10), ("labelled", 50)):
        rows = [{"question": f"{first + i}+{i}", "answer": str(first + 2 * i)} for i in range(12)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(name="nosce")
def _nosce(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command line in this process and returns its exit code, standard output and standard error."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command
