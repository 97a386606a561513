"""What a person writes names one model, or an error says what to write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nosce.core.errors import InputError
from nosce.models.load import load, load_roster
from nosce.models.openai import OpenAIModel
from nosce.models.replay import ReplayModel


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOSCE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    file = tmp_path / "r.jsonl"
    file.write_text(json.dumps({"prompt_key": "p", "key": 1, "sample": {"text": "4"}}))
    return f"replay:{file}"


@pytest.mark.parametrize(
    ("spec", "name", "url"),
    [
        ("openai:gpt-x", "gpt-x", "https://api.openai.com/v1"),
        ("openai:llama@http://127.0.0.1:8080", "llama", "http://127.0.0.1:8080/v1"),
        ("openai:llama@http://127.0.0.1:8080/v1/", "llama", "http://127.0.0.1:8080/v1"),
        ("openai:@cf/meta/llama@https://host.example/api", "@cf/meta/llama", "https://host.example/api"),
        ("openai:m@http://user:pass@host:1/v1", "m", "http://user:pass@host:1/v1"),
    ],
)
def test_addresses(spec: str, name: str, url: str) -> None:
    model = load(spec)
    assert isinstance(model, OpenAIModel)
    assert (model.model, model.endpoint.url) == (name, url)
    assert model.remote


@pytest.mark.parametrize(("end", "dialect"), [("", "chat"), ("#chat", "chat"), ("#socrates", "socrates")])
def test_a_dialect_stands_behind_the_address_and_is_not_part_of_it(end: str, dialect: str) -> None:
    model = load(f"openai:m@http://127.0.0.1:8080/v1{end}")
    assert isinstance(model, OpenAIModel)
    assert (model.endpoint.url, model.dialect) == ("http://127.0.0.1:8080/v1", dialect)
    again = load(model.spec)
    assert (again.spec, again.version, again.dialect) == (model.spec, model.version, dialect)


def test_replay(recorded: str) -> None:
    model = load(recorded, dialect="socrates")
    assert isinstance(model, ReplayModel)
    assert model.dialect == "socrates"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("socrat", "did you mean socrates"),
        ("opnai:x@http://h", "did you mean openai"),
        ("gpt-4", "openai:MODEL@URL"),
        ("", "no model named"),
        ("hf:", "names no model"),
        ("openai:m@localhost:80", "no address"),
        ("openai:@http://h", "no model named"),
        ("openai:m@http://h#socrate", "did you mean socrates"),
        ("openai:m@ftp://h", "no address"),
        ("replay:/nowhere.jsonl", "no such file"),
        ("hf:/nowhere/at-all", "nowhere"),
    ],
)
def test_errors_say_what_to_write(spec: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load(spec)


def test_unknown_options_offer_the_known(recorded: str) -> None:
    with pytest.raises(InputError, match="did you mean timeout"):
        load("openai:m@http://h", timout=3)
    with pytest.raises(InputError, match="did you mean dialect"):
        load(recorded, dialec="chat")


def test_rosters(recorded: str) -> None:
    roster = load_roster(f"critic={recorded},main=openai:m@http://h/v1,judge={recorded}")
    assert list(roster) == ["critic", "main", "judge"]
    assert roster["critic"] is roster["judge"]
    assert list(load_roster(recorded)) == ["main"]
    assert list(load_roster({"main": recorded})) == ["main"]


@pytest.mark.parametrize(("text", "says"), [("critic=openai:m@http://h", "main"), ("main=a:b,main=c:d", "twice"), ("", "main")])
def test_bad_rosters(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_roster(text)
