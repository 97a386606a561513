"""What docs/serving.md shows, works: its code, its file, its commands and what it says of metrics and bodies."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from tests.serve.live import proxy
from tests.servers.stub import completion, serving
from typer.testing import CliRunner

from nosce.cli.app import app
from nosce.serve.config import configure
from nosce.serve.settings import EFFORTS, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)


def test_the_python_of_the_page_runs_on_the_real_client(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, then = blocks("python")
    with serving(lambda call: completion("73")) as up:
        monkeypatch.setenv("OPENAI_BASE_URL", up.url)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        names: dict[str, Any] = {}
        exec(first, names)
        exec(then, names)
    assert capsys.readouterr().out.startswith("73 ")
    assert names["reply"].metacognition.cost["calls"] == 5


def test_the_file_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "nosce.toml"
    file.write_text(blocks("toml")[0])
    made = configure(file)
    assert {name: len(replicas) for name, replicas in made.upstreams.items()} == {"small": 2, "big": 1}
    assert (made.strong, made.limits.calls, made.memory.on) == ("big", 16, False)


def test_the_body_of_the_page_is_understood(tmp_path: Path) -> None:
    body, answer = (json.loads(block) for block in blocks("json"))
    assert Settings(**body["metacognition"]).risk == 0.1
    with proxy(tmp_path, demo=True) as url:
        client = openai.OpenAI(base_url=url, api_key="k")
        made = client.chat.completions.create(
            model=body["model"], messages=body["messages"], extra_body={"metacognition": body["metacognition"]}
        )
    assert set(made.metacognition) == set(answer["metacognition"])  # type: ignore[attr-defined]
    assert set(made.metacognition["cost"]) == set(answer["metacognition"]["cost"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", [line for block in blocks("bash") for line in block.splitlines() if line.startswith("nosce ")])
def test_every_flag_of_the_commands_is_there(line: str) -> None:
    for command in line.partition("#")[0].split("&&"):
        words = command.split(">")[0].split()[1:]
        names = [word for word in words if word.startswith("--")]
        path = words[: next((i for i, word in enumerate(words) if not word.isalpha() or word in ("alice", "labelled")), len(words))]
        told = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, told.output
        assert not [name for name in names if name not in told.output]


def test_fields_efforts_and_metrics_are_those_that_there_are(tmp_path: Path) -> None:
    fields = set(re.findall(r"^\| `(\w+)`(?:, `(\w+)`)? \| ", PAGE, re.M))
    named = {name for pair in fields for name in pair if name}
    assert set(Settings.model_fields) - {"seed"} <= named
    assert EFFORTS == {"none": 1, "minimal": 1, "low": 2, "medium": 6, "high": 16, "xhigh": 32, "max": 32}
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        openai.OpenAI(base_url=url, api_key="k").chat.completions.create(
            model="nosce/auto", messages=[{"role": "user", "content": "2+2"}]
        )
        told = httpx.get(url.removesuffix("/v1") + "/metrics", trust_env=False).text
    there = {line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")}
    said = set(re.findall(r"`(nosce_\w+)`", PAGE))
    assert {name.removesuffix("_total") for name in said} == {name.removesuffix("_total") for name in there}
