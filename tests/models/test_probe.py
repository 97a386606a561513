"""A probe reports what a server does, against servers of which it is known what they do."""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))
from stub import Call, Raw, completion, serving

from nosce.core.errors import InputError, ModelError
from nosce.models import probe as probing
from nosce.models.load import load, load_probed
from nosce.models.openai import OpenAIModel
from nosce.models.probe import probe

WORDS = [f"{word}{digit}" for word in ("ka", "lo", "mi", "nu", "pe", "ri", "so", "tu") for digit in range(8)]


class Honest:
    """A small true language model of 64 words: the next word depends on seed and place; every feature works."""

    def __init__(self, *without: str) -> None:
        self.without = without

    def __call__(self, call: Call) -> Any:
        if call.path.endswith("/models"):
            return {"data": [{"id": "m", "owned_by": "x", "max_model_len": 4096}]}
        if call.path.endswith("/chat/completions") and "chat" in self.without:
            return 404, {"error": {"message": "no chat"}}
        if call.path.endswith("/v1/completions") and "completions" in self.without:
            return 404, {"error": {"message": "no such route"}}
        return self.answer(call.body, chat="messages" in call.body, number=call.number)

    def answer(self, body: dict[str, Any], chat: bool, number: int) -> Any:
        said, asked = self.prompt(body, chat)
        if body.get("n", 1) > 4 and "slots" in self.without:
            return 400, {"error": {"message": "n must be between 1 and 4"}}
        if "top_k" in body and "unfiltered" in self.without:
            return 400, {"error": {"message": "unknown field top_k"}}
        choices = [self.choice(body, chat, said, i, number) for i in range(1 if "n" in self.without else body.get("n", 1))]
        count = sum(len(c["words"]) for c in (choices[:1] if "counts" in self.without else choices))
        for choice in choices:
            words = choice.pop("words")
            if body.get("logprobs") and "logprobs" not in self.without:
                choice["logprobs"] = self.logprobs(words, body, chat)
        usage = {} if "usage" in self.without else {"prompt_tokens": len(asked.split()) + 3, "completion_tokens": count}
        if body.get("stream") and "streaming" not in self.without:
            lines = b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in choices * 3) + b"data: [DONE]\n\n"
            return Raw(200, {"content-type": "text/event-stream"}, (lines,), length=len(lines))
        return completion(choices=choices, usage=usage)

    def prompt(self, body: dict[str, Any], chat: bool) -> tuple[int, str]:
        """How many words were said already, and what was asked."""
        if not chat:
            return len(body["prompt"].split()), body["prompt"]
        last = body["messages"][-1]
        said = len(last["content"].split()) if last["role"] == "assistant" and "continuation" not in self.without else 0
        return said, body["messages"][0]["content"]

    def choice(self, body: dict[str, Any], chat: bool, said: int, index: int, number: int) -> dict[str, Any]:
        warm = body["temperature"] > 0 and "sampling" not in self.without
        index = 0 if "difference" in self.without else index
        seed = 0 if not warm else number * 7 + index if "seed" in self.without else body.get("seed", number) * 5 + index
        words = [" " * (said + i > 0) + WORDS[(said + i) * (3 + seed) % 64] for i in range(body["max_tokens"])]
        if body.get("echo"):
            words = [("" if i == 0 else " ") + w for i, w in enumerate(body["prompt"].split())] + words
        text = "".join(words)
        for stop in body.get("stop", ()) if "stop" not in self.without else ():
            text = text.partition(stop)[0]
        part = {"message": {"content": text}} if chat else {"text": text}
        return {"index": index, "finish_reason": "length", **part, "words": words}

    def logprobs(self, words: list[str], body: dict[str, Any], chat: bool) -> dict[str, Any]:
        top = 1 if body["logprobs"] is True else body["logprobs"]
        alternatives = [(w, self.value(r, body)) for r, w in enumerate(WORDS[: min(body.get("top_logprobs", top), 5)])]
        if chat:
            beside = [{"token": w, "logprob": v} for w, v in alternatives]
            return {"content": [{"token": w, "logprob": self.value(0, body), "top_logprobs": beside} for w in words]}
        values = [self.value(len(w) % 5, body) for w in words]
        return {"tokens": words, "token_logprobs": values, "top_logprobs": [dict(alternatives)] * len(words)}

    def value(self, rank: int, body: dict[str, Any]) -> float:
        if "sense" in self.without:
            return -9999.0
        p = math.log(0.5) * (rank + 1)
        return p / max(body["temperature"], 0.1) if "temperature" in self.without else p


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOSCE_CACHE", str(tmp_path))


def probed(*without: str, **options: Any) -> probing.Probe:
    """The probe of a server that lacks the given features."""
    with serving(Honest(*without)) as stub:
        return asyncio.run(probe(f"openai:m@{stub.url}", backoff=0.01, **options))


def test_everything_that_is_there_is_seen() -> None:
    seen = probed()
    assert [f.name for f in seen.features if not f.seen] == []
    assert (seen.top, seen.prefill, seen.echoes, seen.context) == (5, "assistant", False, 4096)
    assert (seen.most, seen.counts_all) == (16, True)
    able = seen.capabilities
    assert all(getattr(able, name) for name in ("n", "logprobs", "seed", "continuation", "stop", "streaming", "usage", "score"))
    assert able.provides >= {"logprobs", "continuation"}
    assert not any((able.session, able.hidden, able.bias))
    assert seen.calls < 40


@pytest.mark.parametrize("name", ["n", "logprobs", "seed", "stop", "continuation", "streaming", "usage", "unfiltered"])
def test_what_is_missing_is_not_seen_and_the_rest_is(name: str) -> None:
    seen = probed(name)
    also = {"score"} if name == "logprobs" else set()
    assert {f.name for f in seen.features if not f.seen} == {name} | also
    assert not getattr(seen.capabilities, name, False)


@pytest.mark.parametrize(("fault", "says"), [("sense", "nonsense.*-9999"), ("temperature", "changes with the temperature")])
def test_log_probabilities_that_mean_nothing_are_not_trusted(fault: str, says: str) -> None:
    seen = probed(fault)
    assert not seen.capabilities.logprobs
    assert seen.capabilities.top == 0
    (row,) = (f for f in seen.features if f.name == "logprobs")
    assert re.search(says, row.evidence)


def test_a_server_that_decodes_greedily_whatever_the_temperature_does_not_sample() -> None:
    seen = probed("sampling")
    assert {f.name for f in seen.features if not f.seen} == {"sampling", "n", "seed"}
    assert not seen.capabilities.sampling


def test_how_many_at_once_and_whether_all_are_counted() -> None:
    seen = probed("slots", "counts")
    assert (seen.capabilities.n, seen.most, seen.counts_all) == (True, 4, False)


def test_copies_of_one_draw_are_not_several_draws() -> None:
    seen = probed("difference")
    assert not seen.capabilities.n
    assert ("n", "not seen", "2 choices for n=2, 1 different") in seen.rows()


def test_a_server_without_chat_is_asked_for_raw_completion() -> None:
    seen = probed("chat")
    assert not seen.saw("chat")
    assert seen.saw("completions")
    assert seen.capabilities.logprobs
    assert seen.capabilities.seed


def test_chat_without_completions_scores_nothing() -> None:
    seen = probed("completions")
    assert not seen.saw("completions")
    assert not seen.capabilities.score
    assert seen.capabilities.continuation


def test_a_server_that_answers_nothing_is_an_error() -> None:
    with pytest.raises(ModelError, match="neither chat"):
        probed("chat", "completions")
    with pytest.raises(InputError, match="is the server running"):
        asyncio.run(probe("openai:m@http://127.0.0.1:9/v1", backoff=0.01))


def test_a_probe_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    with serving(Honest()) as stub:
        spec = f"openai:m@{stub.url}"
        first = asyncio.run(probe(spec))
        calls = len(stub.calls)
        assert asyncio.run(probe(spec, fresh=False)) == first
        model = asyncio.run(load_probed(spec))
        assert isinstance(model, OpenAIModel)
        assert len(stub.calls) == calls
        assert model.probe == first
        assert model.capabilities.logprobs
        assert model.context == 4096
        assert load(f"openai:other@{stub.url}").capabilities.logprobs is False
        old = replace(first, taken=first.taken - 40 * 86400)
        probing.keep(model, old)
        assert probing.cached(model) is None
        probing.place(model).write_text("{}")
        assert probing.cached(model) is None
    assert probing.read(json.loads(json.dumps(asdict(first)))) == first
    assert all(path.is_relative_to(tmp_path) for path in [probing.folder()])


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOSCE_CACHE", "/dev/null")
    assert probed().capabilities.n


def test_a_local_model_reports_itself(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text(json.dumps({"prompt_key": "p", "key": 1, "sample": {"text": "4", "logprobs": [-1.0]}}))
    seen = asyncio.run(probe(f"replay:{file}"))
    assert seen.saw("logprobs")
    assert not seen.saw("session")
    assert seen.calls == 0
    assert ("logprobs", "seen", "reported by the model: True") in seen.rows()
