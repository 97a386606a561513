"""Attacks from the client's side: on the connection, on the books, on what the operator keeps."""

import http.client
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.serve.streams import chunk, chunks
from tests.serve.test_passing import post
from tests.servers.stub import Call, Raw, completion, serving

from nosce.serve import exchange, protocol
from nosce.serve.app import create_app
from nosce.serve.config import Limits, configure
from nosce.serve.front import HANDLERS
from nosce.serve.keys import Keys
from nosce.serve.store import Store, packed

HI: list[Any] = [{"role": "user", "content": "hi"}]
ASK = json.dumps({"model": "small", "messages": HI}).encode()
STREAM = json.dumps({"model": "small", "messages": HI, "stream": True}).encode()


def spoken(url: str, data: bytes, *, wait: float = 8, end: bool = False) -> bytes:
    """What a server says to raw bytes until it closes the connection (or, with `end`, until we do after an answer)."""
    host, _, port = url.split("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=wait) as line:
        line.sendall(data)
        said = b""
        while piece := line.recv(65536):
            said += piece
            if end and b"\r\n\r\n" in said:
                break
    return said


def books(folder: Path) -> list[tuple[Any, ...]]:
    """State, status, prompt and completion tokens of every request that has ended, when what was written is on disk."""
    time.sleep(0.2)
    with sqlite3.connect(folder / "nosce.db") as base:
        return base.execute("SELECT state, status, prompt_tokens, completion_tokens FROM requests ORDER BY at").fetchall()


def until(true: Callable[[], bool], most: float = 5) -> bool:
    ends = time.monotonic() + most
    while not true() and time.monotonic() < ends:
        time.sleep(0.02)
    return true()


# --- the connection


def test_a_head_that_does_not_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1") as url:
        for data in (b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nx: y\r\n"):
            began = time.monotonic()
            assert spoken(url, data).startswith(b"HTTP/1.1 400")
            assert time.monotonic() - began < 3
        again = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTT"
        assert spoken(url, again).count(b"HTTP/1.1") == 2


def test_a_head_that_is_too_large_is_cut_off(tmp_path: Path) -> None:
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1") as url:
        endless = b"GET /health HTTP/1.1\r\n" + b"x: " + b"a" * (1 << 20)
        try:
            said = spoken(url, endless)
        except ConnectionError:  # it was cut off while we still sent
            said = b"HTTP/1.1 400"
        assert said.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("body", [b"", b'{"model"'])
def test_a_body_that_does_not_end_is_refused(body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.3)
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1") as url:
        for path in (b"/v1/chat/completions", b"/v1/feedback"):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n"
            said = spoken(url, head + body)
            assert said.startswith(b"HTTP/1.1 408")
            assert b"did not come in time" in said


def test_a_body_that_drips_is_refused_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LONGEST", 0.6)
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1") as url:
        host, _, port = url.split("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            line.settimeout(0.1)
            said, began = b"", time.monotonic()
            while not said and time.monotonic() - began < 5:
                line.sendall(b"1\r\n \r\n")
                try:
                    said = line.recv(100)
                except TimeoutError:
                    continue
        assert said.startswith(b"HTTP/1.1 408")


def test_an_endless_chunked_body_is_refused_and_not_kept(tmp_path: Path) -> None:
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1", limits=Limits(body=2048)) as url:
        for path in (b"/v1/responses", b"/v1/feedback"):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            assert spoken(url, head + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 20 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413")


POST = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
GET = b"GET /health HTTP/1.1\r\n"
SMUGGLED = [
    POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    GET + b"Host: localhost\r\nx : y\r\n\r\n",
    GET + b"Host: localhost\n folded\n\n",
    GET + b"\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
]


@pytest.mark.parametrize("data", SMUGGLED)
def test_requests_that_two_readers_would_read_differently_are_refused(data: bytes, tmp_path: Path) -> None:
    with serving(lambda call: completion()) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        said = spoken(url, data, end=True)
        assert re.match(rb"HTTP/1.1 4\d\d", said), said
        assert not up.calls
        assert post(f"{url}/chat/completions", ASK)[0] == 200  # and it lives on


@pytest.mark.parametrize("text", ["a\r\nx-evil: 1", "a\nset-cookie: b=1", "nosce/a\r\n\r\nHTTP/1.1 200"])
def test_line_breaks_in_what_a_caller_says_reach_no_header(text: str, tmp_path: Path) -> None:
    with serving(lambda call: completion()) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for more in ({"model": text}, {"model": "small", "user": text}, {"model": "small", "metacognition": {"strategy": text}}):
            body = json.dumps({"messages": HI, **more}).encode()
            said = spoken(url, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body, end=True)
            head, _, _ = said.partition(b"\r\n\r\n")
            assert not re.search(rb"^(x-evil|set-cookie)", head, re.M)
            assert head.count(b"HTTP/1.1") == 1
        assert all("x-evil" not in call.headers for call in up.calls)


# --- forged requests


@pytest.mark.parametrize(
    "origin", ["http://[::1", "http://a:b:c", "file://", "http://127.0.0.1", "http://localhost:1", "//x", "null"]
)
def test_a_strange_origin_is_another_site(origin: str, tmp_path: Path) -> None:
    with serving(lambda call: completion()) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"):
            assert post(f"{url}/chat/completions", ASK, origin=origin, **{"content-type": kind})[0] == 403
        assert not up.calls


def test_no_answer_lets_another_site_read_it(tmp_path: Path) -> None:
    headers = {"access-control-allow-origin": "*", "content-type": "application/json"}
    open_ = Raw(200, headers, (b"{}",), "keep", 2)
    with serving(lambda call: open_) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for path in ("/models", "/chat/completions"):
            said = spoken(url, b"OPTIONS /v1%s HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil\r\n"
                          b"Access-Control-Request-Method: POST\r\n\r\n" % path.encode(), end=True)  # fmt: skip
            assert b"access-control" not in said.lower()
            assert not said.startswith(b"HTTP/1.1 2")
        assert "access-control-allow-origin" not in post(f"{url}/chat/completions", ASK)[2]


# --- keys


def test_every_route_that_is_there_asks_for_a_key(tmp_path: Path) -> None:
    """Those of the application are enumerated, so that a new one is held too."""
    Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    config = configure(None, ("small=openai:m@http://127.0.0.1:9/v1",), database=tmp_path / "nosce.db")
    inner = create_app(config)._inside._rest  # type: ignore[attr-defined]
    held = [(m, r.path) for r in _leaves(inner.routes) for m in (getattr(r, "methods", None) or {"GET"})] + list(HANDLERS)
    assert ("POST", "/v1/feedback") in held
    api = [(method, path) for method, path in held if path != "/" and not path.startswith("/ui")]
    assert len(api) > 12
    with proxy(tmp_path, "small=openai:m@http://127.0.0.1:9/v1") as url:
        for method, path in api:
            line = http.client.HTTPConnection(url.split("/")[2], timeout=10)
            line.request(method, re.sub(r"\{\w+(:\w+)?\}", "1", path), b"{}" if method == "POST" else None)
            assert line.getresponse().status == 401, (method, path)
            line.close()
        for path in (
            "//v1/models",
            "/ui/../v1/audit",
            "/ui/%2e%2e/v1/models",
            "/v1/models/",
            "/%761/models",
            "/v1/models%00",
            "/UI/",
        ):
            line = http.client.HTTPConnection(url.split("/")[2], timeout=10)
            line.request("GET", path)
            assert line.getresponse().status in ((303, 404) if path.startswith("/ui") else (401, 404)), path
            line.close()


def _leaves(routes: Any) -> list[Any]:
    """The routes under all routers."""
    found = []
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        found += _leaves(inner) if inner else [route]
    return [route for route in found if hasattr(route, "path")]


def test_one_key_sees_nothing_of_another(tmp_path: Path) -> None:
    keys = Keys(Store(tmp_path / "nosce.db"), Limits())
    alice, bob = ({"authorization": f"Bearer {keys.make(name)}"} for name in ("alice", "bob"))
    with serving(lambda call: completion()) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        body = json.dumps({"model": "nosce/auto", "messages": HI}).encode()
        trace = json.loads(post(f"{url}/chat/completions", body, **alice)[1])["metacognition"]["trace_id"]
        given = json.dumps({"trace_id": trace, "correct": True}).encode()
        assert post(f"{url}/feedback", given, **bob)[0] == 404
        line = http.client.HTTPConnection(url.split("/")[2])
        for method, path in (("DELETE", f"/v1/traces/{trace}"), ("GET", "/v1/audit"), ("GET", "/v1/policies"),
                             ("POST", f"/v1/audit/{trace}"), ("POST", "/v1/policies/1/promote")):  # fmt: skip
            line.request(method, path, b'{"score":1}', {**bob, "content-type": "application/json"})
            answer = line.getresponse()
            answer.read()
            assert answer.status == (404 if method == "DELETE" else 403), path
        line.close()
        assert post(f"{url}/feedback", given, **alice)[0] == 200


def test_neither_keys_nor_questions_reach_the_log_or_the_file(tmp_path: Path) -> None:
    """A server process with failing upstreams, bad requests and a wrong key, and all that it wrote."""
    database, mine = tmp_path / "nosce.db", Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    environment = {**os.environ, "NOSCE_API_KEY": "upstream-secret-1"}
    with serving(
        lambda call: [completion(), (401, {"error": {"message": f"no: {call.raw!r}"}}), (500, {}), Raw(200, {}, (), "drop")][
            call.number % 4
        ]
    ) as up:
        command = [
            "serve",
            "-u",
            f"small=openai:m@{up.url}",
            "-u",
            "gone=openai:m@http://127.0.0.1:9/v1",
            "--database",
            str(database),
        ]
        port = _free()
        whole = [sys.executable, "-c", "from nosce.cli.app import main; main()", *command, "--port", str(port)]
        server = subprocess.Popen(whole, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}/v1"
            assert until(lambda: _answers(port), 60)
            for model in ("small", "nosce/auto", "gone", "my-question"):
                body = json.dumps({"model": model, "messages": [{"role": "user", "content": "my-question"}]}).encode()
                for key in (mine, "nosce-wrong-key"):
                    post(f"{url}/chat/completions", body, authorization=f"Bearer {key}")
                for _ in range(4):  # each fault, in a stream
                    post(f"{url}/chat/completions", body[:-1] + b', "stream": true}', authorization=f"Bearer {mine}")
            post(f"{url}/feedback", b'{"my-question": 1', authorization=f"Bearer {mine}")
        finally:
            server.terminate()
            log = server.communicate(timeout=20)[0]
    assert any(call.headers["authorization"] == "Bearer upstream-secret-1" for call in up.calls)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (b"upstream-secret-1", mine.encode(), b"nosce-wrong-key", b"my-question"):
        assert secret not in log, log
        assert secret not in kept


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "open" / "nosce.db"
    path.parent.mkdir()
    path.touch(0o666)
    path.chmod(0o666)
    with proxy(path.parent, "small=openai:m@http://127.0.0.1:9/v1") as url:
        post(f"{url}/chat/completions", ASK)
        time.sleep(0.1)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes) >= {"nosce.db", "nosce.db-wal", "nosce.db-shm"}
    assert set(modes.values()) == {0o600}


# --- the books


def test_who_hangs_up_before_the_count_is_charged_for_what_came(tmp_path: Path) -> None:
    said = Raw(200, {"content-type": "text/event-stream"}, tuple(chunk({"content": "x"}) for _ in range(50)), "hang")
    with serving(lambda call: said) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        line = http.client.HTTPConnection(url.split("/")[2], timeout=5)
        line.request("POST", "/v1/chat/completions", STREAM)
        answer, got = line.getresponse(), b""
        while got.count(b"data:") < 50:
            got += answer.read1(65536)
        answer.close()
        line.close()
        assert until(lambda: up.left == 1)
    ((state, status, prompt, completed),) = books(tmp_path)
    assert (state, status) == ("cancelled", 499)
    assert prompt > 0
    assert 45 <= completed <= 50


def test_the_events_of_a_slow_stream_are_counted_however_they_are_cut(tmp_path: Path) -> None:
    """One event a piece, and pieces that end within an event's mark: 20 tokens and the two events around them."""
    whole = b"".join(chunks(*["x"] * 20).pieces)
    for size in (len(chunk({"content": "x"})), 7, 50):
        pieces = tuple(whole[at : at + size] for at in range(0, len(whole), size))
        said = Raw(200, {"content-type": "text/event-stream"}, pieces, pause=0.002)
        with serving(lambda call, said=said: said) as up, proxy(tmp_path / str(size), f"small=openai:m@{up.url}") as url:  # type: ignore[misc]
            assert post(f"{url}/chat/completions", STREAM)[1] == whole
        ((state, _, _, completed),) = books(tmp_path / str(size))
        assert (state, completed) == ("done", 21)  # head, twenty tokens, end and [DONE], less two


def test_a_stream_that_is_not_counted_is_charged_all_the_same(tmp_path: Path) -> None:
    key = Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice", tokens_per_day=30)
    with serving(lambda call: chunks(*["x"] * 40)) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        assert post(f"{url}/chat/completions", STREAM, authorization=f"Bearer {key}")[0] == 200
        assert until(lambda: post(f"{url}/chat/completions", STREAM, authorization=f"Bearer {key}")[0] == 429)  # once it is booked


@pytest.mark.parametrize(
    ("asked", "sent"),
    [({"max_tokens": -1}, {"max_tokens": 5}), ({"max_tokens": True}, {"max_tokens": 5}), ({"max_tokens": 1e9}, {"max_tokens": 5}),
     ({"max_tokens": "9"}, {"max_tokens": 5}), ({"max_tokens": None}, {"max_tokens": 5}),
     ({"max_completion_tokens": 3, "max_tokens": 10**9}, {"max_completion_tokens": 3, "max_tokens": 5}),
     ({"max_tokens": 4, "n_predict": -1}, {"max_tokens": 4, "n_predict": 5}),
     ({"max_tokens": 2**63}, {"max_tokens": 5}), ({"max_tokens": 2}, {"max_tokens": 2})],
)  # fmt: skip
def test_no_spelling_gets_past_the_cap_of_tokens(asked: dict[str, Any], sent: dict[str, Any], tmp_path: Path) -> None:
    with (
        serving(lambda call: completion()) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}", limits=Limits(max_tokens=5, calls=4)) as url,
    ):
        for model in ("small", "nosce/think"):
            assert post(f"{url}/chat/completions", json.dumps({"messages": HI, **asked, "model": model}).encode())[0] == 200
        for n in (5, 10**6, -1, "many", True):
            assert post(f"{url}/chat/completions", json.dumps({"model": "small", "messages": HI, "n": n}).encode())[0] == 400
        assert post(f"{url}/embeddings", b'{"model":"small","input":"x"}')[0] == 200
    for call in up.calls[:2]:
        assert {name: call.body[name] for name in sent} == sent
    assert not {"max_tokens", "max_output_tokens"} & up.calls[2].body.keys()


def test_an_endless_stream_ends_at_the_tokens_asked_for(tmp_path: Path) -> None:
    endless = Raw(200, {"content-type": "text/event-stream"}, (chunk({"content": "x"}),), "again")
    with serving(lambda call: endless) as up, proxy(tmp_path, f"small=openai:m@{up.url}", limits=Limits(max_tokens=100)) as url:
        line = http.client.HTTPConnection(url.split("/")[2], timeout=20)
        line.request("POST", "/v1/chat/completions", STREAM)
        answer = line.getresponse()
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        line.close()
        assert until(lambda: up.left == 1)
    assert books(tmp_path)[0][:2] == ("failed", 502)


# --- the store


def test_what_cannot_be_written_harms_no_other_row(tmp_path: Path) -> None:
    store = Store(tmp_path / "n.db")
    store.put("INSERT INTO meta VALUES (?,?)", "a", "half \ud800")
    store.put("INSERT INTO meta VALUES (?,?)", "b", 2**80)
    store.put("INSERT INTO meta VALUES (?,?)", "c", "'; DROP TABLE meta; --")
    store.flush()
    assert [tuple(row) for row in store.rows("SELECT * FROM meta ORDER BY name")] == [
        ("a", "half ?"), ("b", str(2**63 - 1)), ("c", "'; DROP TABLE meta; --"),
    ]  # fmt: skip
    store.close()


def test_packed_is_json_whatever_is_in_it() -> None:
    assert json.loads(packed({"a": [float("nan"), float("inf"), 1.5], "b": "\ud800"})) == {"a": [None, None, 1.5], "b": "\ud800"}
    assert packed({"a": "é"}) == '{"a":"é"}'


def test_a_call_names_no_address(tmp_path: Path) -> None:
    """Addresses and paths in a request are passed on or refused; nothing here is ever fetched or opened because of one."""
    with serving(lambda call: completion()) as bait, serving(lambda call: completion("4")) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", demo=True) as url:  # fmt: skip
        for at in (f"{bait.url}/x.png", "file:///etc/passwd", "http://169.254.169.254/latest"):
            image = [{"type": "image_url", "image_url": {"url": at}}, {"type": "text", "text": f"see {at}"}]
            tool = {"type": "function", "function": {"name": "fetch", "parameters": {"url": at}}}
            for model in ("small", "nosce/auto", "nosce/critic", "socrates"):
                body = {
                    "model": model,
                    "messages": [{"role": "user", "content": image}],
                    "tools": [tool],
                    "base_url": at,
                    "api_base": at,
                }
                assert post(f"{url}/chat/completions", json.dumps(body).encode())[0] in (200, 400, 422)
            for spec in (f"openai:m@{at}", f"hf:{at}", at):
                for body in ({"model": spec}, {"model": "nosce/auto", "metacognition": {"upstream": spec}}):
                    assert post(f"{url}/chat/completions", json.dumps({"messages": HI, **body}).encode())[0] == 404
        assert not bait.calls
        served = [call for call in up.calls if "messages" in call.body]
        assert served
        assert all("root:" not in json.dumps(call.body) for call in served)


def _never(call: Call) -> Any:
    return Raw(after="hang")


@pytest.mark.parametrize("model", ["small", "nosce/auto", "nosce/self-consistency"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_is_gone_for_the_upstream_too(model: str, stream: bool, tmp_path: Path) -> None:
    with serving(_never) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        line = http.client.HTTPConnection(url.split("/")[2], timeout=5)
        line.request("POST", "/v1/chat/completions", json.dumps({"model": model, "messages": HI, "stream": stream}))
        assert until(lambda: bool(up.calls))
        time.sleep(0.1)
        line.close()
        assert until(lambda: up.left == len(up.calls)), (up.left, len(up.calls))
    assert books(tmp_path)[0][0] == "cancelled"
