"""Upstreams that are slow, gone or lie: nobody is led on, nobody waits for ever, nothing is believed that cannot be."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy, proxy_of
from tests.serve.streams import chunk
from tests.serve.test_passing import post
from tests.servers.stub import Call, Raw, completion, serving

from nosce.serve.config import Config, Upstream

HI: list[Any] = [{"role": "user", "content": "2+2"}]
JSON = {"content-type": "application/json"}
GOOD = json.dumps(completion("4")).encode()
ASKED = ["small", "nosce/auto", "stream"]


def body(model: str, **more: Any) -> bytes:
    """A chat request to the upstream, to a strategy, or for a stream."""
    named: dict[str, Any] = {"model": "small", "stream": True} if model == "stream" else {"model": model}
    return json.dumps({"messages": HI, **named, **more}).encode()


def once(folder: Path, url: str, **more: Any) -> Any:
    """A proxy that asks its upstream once."""
    one = Upstream(model=f"openai:m@{url}", retries=0, **more)
    return proxy_of(Config(upstreams={"small": (one,)}, database=folder / "nosce.db", port=0))


@pytest.mark.parametrize("status", [302, 308, 304, 999])
@pytest.mark.parametrize("asked", ASKED)
def test_no_redirect_is_followed_and_none_is_passed_back(asked: str, status: int, tmp_path: Path) -> None:
    with serving(lambda call: completion("stolen")) as other:
        said = Raw(status, {**JSON, "location": f"{other.url}/chat/completions"}, (GOOD,) if status != 304 else (), "close")
        with serving(lambda call: said) as up, once(tmp_path, up.url) as url:
            code, answer, headers = post(f"{url}/chat/completions", body(asked))
    assert code == 502
    assert "location" not in headers
    assert json.loads(answer)["error"]["type"] == "upstream_error"
    assert not other.calls


@pytest.mark.parametrize("asked", ASKED)
def test_a_compressed_answer_is_not_unpacked(asked: str, tmp_path: Path) -> None:
    bomb = gzip.compress(b" " * (8 << 20))
    said = Raw(200, {**JSON, "content-encoding": "gzip"}, (bomb,), "keep", len(bomb))
    with serving(lambda call: said) as up, once(tmp_path, up.url) as url:
        code, answer, _ = post(f"{url}/chat/completions", body(asked))
    assert code == 502
    assert len(answer) < 1000
    assert all(call.headers["accept-encoding"] == "identity" for call in up.calls)


LIES: list[Any] = [
    b"", b"null", b"[]", b'"4"', b"<html>busy</html>", b'{"choices": [', GOOD[:-1], b"\xff\xfe", b"{}", b'{"choices": []}',
    b'{"choices": [null]}', b'{"choices": [{"message": null}]}', b'{"choices": [{"message": {"content": 5}}]}', b"[" * 100_000,
    b'{"choices": ' + b"[" * 100_000, b'{"choices": [{}], "usage": []}',
]  # fmt: skip


@pytest.mark.parametrize("said", LIES)
def test_an_answer_that_is_none_is_a_502_for_a_strategy(said: bytes, tmp_path: Path) -> None:
    with serving(lambda call: Raw(200, JSON, (said,), "keep", len(said))) as up, once(tmp_path, up.url) as url:
        for more in ({}, {"stream": True}):
            code, answer, _ = post(f"{url}/chat/completions", body("nosce/auto", **more))
            held = json.loads(answer.partition(b"data: ")[2].partition(b"\n")[0]) if more else json.loads(answer)
            assert code == (200 if more else 502)  # a stream has begun when it turns out
            assert held["error"]["type"] == "upstream_error"


def test_a_page_of_html_is_no_stream(tmp_path: Path) -> None:
    page = Raw(200, {"content-type": "text/html; charset=utf-8"}, (b"<html>log in first</html>",))
    with serving(lambda call: page) as up, once(tmp_path, up.url) as url:
        code, answer, _ = post(f"{url}/chat/completions", body("stream"))
    assert (code, "HTML" in json.loads(answer)["error"]["message"]) == (502, True)


NAN = {"token": "4", "logprob": float("nan"), "top_logprobs": [{"token": "x", "logprob": 1e999}]}
ODD: list[dict[str, Any]] = [
    {"choice": {"message": {"role": "assistant", "content": "4 \ud800"}}},
    {"choice": {"message": {"role": "assistant", "content": "4", "tool_calls": ["x", None, {"function": "f"}, {"id": 5}]}}},
    {"choice": {"message": {"role": "assistant", "content": [{"type": "text", "text": "4"}, 5]}}},
    {"choice": {"finish_reason": {"a": 1}, "index": "no", "logprobs": [1]}},
    {"choice": {"logprobs": {"content": [None, {"token": 5}]}}},
    {"choice": {"logprobs": {"content": [NAN]}}},
    {"id": float("inf"), "created": "x", "model": None, "system_fingerprint": [1]}, {"metacognition": {"confidence": 1}},
    {"usage": {"prompt_tokens": -5, "completion_tokens": 10**30, "total_tokens": True, "x": {"y": {"z": 1e300}}}},
    {"usage": {"prompt_tokens": float("nan"), "completion_tokens": "many"}}, {"usage": "x"},
    {"choices": [completion()["choices"][0]] * 500},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_odd_fields_in_an_answer_never_fail_the_server(odd: dict[str, Any], tmp_path: Path) -> None:
    said = json.dumps(completion("4", **{**odd, "choice": dict(odd.get("choice", {}))})).encode()
    with serving(lambda call: Raw(200, JSON, (said,), "keep", len(said))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for path, more in (
            ("chat/completions", {"messages": HI}),
            ("responses", {"input": "2+2"}),
            ("completions", {"prompt": "2+2"}),
        ):
            for stream in (False, True):
                asked = {
                    "model": "nosce/auto",
                    "stream": stream,
                    "logprobs": True,
                    "stream_options": {"include_usage": True},
                    **more,
                }
                code, answer, _ = post(f"{url}/{path}", json.dumps(asked).encode())
                assert code == 200, answer
                held = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: {")] if stream else [answer]
                read = [json.loads(one, parse_constant=lambda name: pytest.fail(name)) for one in held]
                assert not any("error" in one and one["error"] for one in read), read
                whole = read[-1].get("response", read[-1])
                assert whole["metacognition"]["outcome"] == "answered" if not stream or path == "responses" else True
                counted = next((one["usage"] for one in reversed(read) if one.get("usage")), whole.get("usage"))
                assert 0 < (counted.get("prompt_tokens") or counted["input_tokens"]) < 10**9


@pytest.mark.parametrize("message", [{"content": None}, {"content": ""}, {"content": None, "tool_calls": {"a": 1}}, {}])
def test_an_upstream_that_says_nothing_is_an_abstention(message: dict[str, Any], tmp_path: Path) -> None:
    said = completion(choice={"message": {"role": "assistant", **message}})
    with serving(lambda call: said) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        code, answer, _ = post(f"{url}/chat/completions", body("nosce/auto"))
    made = json.loads(answer)
    assert (code, made["metacognition"]["outcome"]) == (200, "abstained")
    assert made["choices"][0]["message"]["refusal"]


def test_a_slow_upstream_is_given_up(tmp_path: Path) -> None:
    with serving(lambda call: Raw(after="silent")) as up, once(tmp_path, up.url, timeout=0.3) as url:
        for asked in ASKED:
            began = time.monotonic()
            code, answer, _ = post(f"{url}/chat/completions", body(asked))
            assert (code, time.monotonic() - began < 4) == (502, True)
            assert "no answer in time" in json.loads(answer)["error"]["message"]


@pytest.mark.parametrize("asked", ASKED)
def test_an_upstream_that_is_not_there_is_named(asked: str, tmp_path: Path) -> None:
    with once(tmp_path, "http://127.0.0.1:9/v1") as url:
        code, answer, _ = post(f"{url}/chat/completions", body(asked))
    said = json.loads(answer)["error"]["message"]
    assert code == 502
    assert "small" in said
    assert "127.0.0.1:9" in said


def test_a_busy_upstream_is_passed_back_from_a_strategy_too(tmp_path: Path) -> None:
    text = b'{"error": {"message": "slow down", "type": "requests"}}'
    said = Raw(429, {**JSON, "retry-after": "7"}, (text,), "keep", len(text))
    with serving(lambda call: said) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for asked in ASKED:
            code, answer, headers = post(f"{url}/chat/completions", body(asked))
            assert (code, json.loads(answer)["error"]["message"], headers["retry-after"]) == (429, "slow down", "7")
    assert len(up.calls) == len(ASKED)


@pytest.mark.parametrize("asked", ["small", "nosce/auto"])
def test_an_answer_without_end_is_cut_off(asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nosce.serve import transport

    monkeypatch.setattr(transport, "MOST_BYTES", 1 << 20)
    for said in (Raw(200, JSON, (b"{",), "endless"), Raw(200, JSON, (b"{",), "hang", 10**12)):
        with serving(lambda call, said=said: said) as up, once(tmp_path, up.url) as url:  # type: ignore[misc]
            code, answer, _ = post(f"{url}/chat/completions", body(asked))
        assert code == 502
        assert "larger than 1 MiB" in json.loads(answer)["error"]["message"]


def test_one_gigantic_line_of_a_stream_goes_through_in_pieces_and_a_larger_one_is_cut(tmp_path: Path) -> None:
    line = chunk({"content": "x" * (8 << 20)})

    def answer(call: Call) -> Raw:
        return Raw(200, {"content-type": "text/event-stream"}, (line, b"data: [DONE]\n\n"), "close")

    with serving(answer) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        code, said, _ = post(f"{url}/chat/completions", body("stream"))
    assert (code, said) == (200, line + b"data: [DONE]\n\n")
