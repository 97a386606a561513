"""Batteries on a chat server, as a user has one; and the transcript of that, played again without it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.scripted import BLACK_BOX, ScriptedChat
from tests.servers.stub import Call, Stub, completion, serving

from nosce.cli.app import run
from nosce.core.problem import Message
from nosce.core.streams import stream_key
from nosce.models.base import Prompt, Request

BATTERIES = "S158,S178,S171,S238,S242,S280"


@pytest.fixture(name="server")
def _server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stub]:
    """The scripted chat model behind an OpenAI-compatible endpoint."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    chat = ScriptedChat(BLACK_BOX)

    def reply(call: Call) -> object:
        if not call.path.endswith("/chat/completions"):
            return {"object": "list", "data": [{"id": "scripted", "object": "model"}]}
        said = tuple(Message(m["role"], str(m["content"])) for m in call.body["messages"])
        key = stream_key(call.body.get("seed"), call.number if call.body.get("seed") is None else 0)
        request = Request(Prompt(said), (key,), call.body.get("max_tokens") or 256, call.body.get("temperature", 0.7))
        return completion(chat._one(request, key).text)

    with serving(reply) as stub:
        yield stub


def test_a_server_is_profiled_resumed_for_nothing_and_replayed(
    server: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def profiled(model: str, *more: str) -> dict[str, object]:
        code = run(["profile", model, "--battery", BATTERIES, "--n", "4", "--json", *more])
        out, err = capsys.readouterr()
        assert code == 0, err
        found: dict[str, object] = json.loads(out)
        return found

    out = ("--out", str(tmp_path / "p"))
    first = profiled(f"openai:scripted@{server.url}", *out)
    assert len(first["batteries"]) == 6
    assert not any(b["refused"] or b["unfinished"] for b in first["batteries"])
    paid = len(server.calls)
    assert paid >= sum(b["items"] for b in first["batteries"])
    again = profiled(f"openai:scripted@{server.url}", *out, "--resume")
    assert again == first
    assert len(server.calls) == paid
    replayed = profiled(f"replay:{tmp_path / 'p' / 'model-1' / 'traces.jsonl'}")
    assert [b["findings"] for b in replayed["batteries"]] == [b["findings"] for b in first["batteries"]]


def test_a_server_that_dies_on_the_way_loses_no_finished_item(
    server: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["profile", f"openai:scripted@{server.url}", "--battery", "S158", "--n", "6", "--concurrency", "1"]
    given += ["--json", "--out", str(tmp_path / "p")]
    alive: Callable[[Call], object] = server.answer
    asked = 0

    def dying(call: Call) -> object:
        nonlocal asked
        asked += call.path.endswith("/chat/completions") and len(call.body["messages"]) > 1
        return alive(call) if asked <= 14 else (400, {"error": {"message": "gone"}})

    server.answer = dying
    assert run(given) == 1  # some items failed, and that is said
    broken = json.loads(capsys.readouterr().out)["batteries"][0]
    assert 0 < broken["unfinished"] < 6
    server.answer = alive
    assert run([*given, "--resume"]) == 0
    whole = json.loads(capsys.readouterr().out)["batteries"][0]
    assert whole["unfinished"] == 0
