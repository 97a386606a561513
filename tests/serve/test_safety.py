"""Who gets in, what they may spend, and what happens when the world is hostile."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.serve.streams import chunks
from tests.serve.test_passing import post
from tests.servers.stub import Raw, completion, serving

from nosce.core.errors import InputError
from nosce.serve.config import Limits, configure
from nosce.serve.keys import Keys
from nosce.serve.run import check
from nosce.serve.store import STARTED, Store

ASK = b'{"model":"small","messages":[{"role":"user","content":"hi"}]}'
ROUTES = ["/health", "/metrics", "/openapi.json", "/v1/models", "/v1/audit", "/v1/policies"]


def status(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    """The status of any request."""
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=20)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_no_route_without_its_key_when_keys_are_set(tmp_path: Path) -> None:
    key = Keys(Store(tmp_path / "nosce.db"), Limits()).make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        posts = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/feedback", "/v1/nothing"]
        assert {status(url, "GET", path) for path in ROUTES} == {401}
        assert {status(url, "POST", path, b"{}") for path in posts} == {401}
        assert not up.calls
        assert post(f"{url}/chat/completions", ASK, authorization=f"Bearer {key}")[0] == 200
        with sqlite3.connect(tmp_path / "nosce.db") as base:
            kept = "\n".join(base.iterdump())
        assert key not in kept
        assert key.removeprefix("nosce-") not in kept


def test_guessing_is_slowed_and_a_revoked_key_is_out(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    keys = Keys(store, Limits())
    key = keys.make("alice")
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        began = time.monotonic()
        assert [post(f"{url}/chat/completions", ASK, authorization=f"Bearer nosce-guess{i}")[0] for i in range(5)] == [401] * 5
        assert time.monotonic() - began > 0.05 + 0.1 + 0.2 + 0.4
        began = time.monotonic()
        assert post(f"{url}/chat/completions", ASK, authorization=f"Bearer {key}")[0] == 200
        assert time.monotonic() - began < 0.8  # the right key is not kept waiting
        keys.revoke("alice")
        time.sleep(1.2)
        assert post(f"{url}/chat/completions", ASK, authorization=f"Bearer {key}")[0] == 401
        assert post(f"{url}/chat/completions", ASK)[0] == 401  # revoking the last key opens no door


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"host": "evil.example"}, 421), ({"host": "evil.example:8710"}, 421), ({"origin": "https://evil.example"}, 403),
     ({"sec_fetch_site": "cross-site"}, 403), ({"origin": "null"}, 403), ({}, 200), ({"host": "localhost"}, 200)],
)  # fmt: skip
def test_other_hosts_and_other_sites_are_refused(headers: dict[str, str], expected: int, tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        assert status(url, "POST", "/v1/chat/completions", ASK, content_type="text/plain", **headers) == expected
        assert len(up.calls) == (expected == 200)


def test_nothing_is_told_to_anybody_whatever_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda call: completion("4")) as collector, serving(lambda call: completion("4")) as up:
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("HTTP_PROXY", collector.url)
        monkeypatch.setenv("http_proxy", collector.url)
        with proxy(tmp_path, f"small=openai:m@{up.url}") as url:
            assert status(url, "POST", "/v1/chat/completions", ASK) == 200
            assert [status(url, "GET", path) for path in ("/health", "/metrics", "/", "/v1/audit")] == [200] * 4
            assert status(url, "POST", "/v1/feedback", b'{"trace_id":"x","correct":true}', content_type="application/json") == 404
            time.sleep(0.3)
        assert not collector.calls


def test_another_host_needs_a_key(tmp_path: Path) -> None:
    config = configure(None, ("small=openai:m@http://127.0.0.1:9/v1",), host="0.0.0.0", database=tmp_path / "n.db")
    with pytest.raises(InputError, match="nosce serve keys add"):
        check(config)
    Keys(Store(tmp_path / "n.db"), Limits()).make("alice")
    check(config)


def test_rates_daily_budgets_and_caps_hold(tmp_path: Path) -> None:
    keys = Keys(Store(tmp_path / "nosce.db"), Limits())
    rated, poor = keys.make("rated", requests=3), keys.make("poor", tokens_per_day=20)
    with serving(lambda call: completion("4")) as up:
        with proxy(tmp_path, f"small=openai:m@{up.url}", limits=Limits(max_tokens=5, body=2048)) as url:
            seen = [post(f"{url}/chat/completions", ASK, authorization=f"Bearer {rated}") for _ in range(4)]
            assert [one[0] for one in seen] == [200, 200, 200, 429]
            assert int(seen[-1][2]["retry-after"]) >= 1
            assert [post(f"{url}/chat/completions", ASK, authorization=f"Bearer {poor}")[0] for _ in range(4)] == [
                200,
                200,
                200,
                429,
            ]
            assert up.calls[0].body["max_tokens"] == 5
        with proxy(tmp_path, f"small=openai:m@{up.url}", limits=Limits(body=2048)) as url:
            big = b'{"model":"small","x":"' + b"a" * 4000 + b'"}'
            assert post(f"{url}/chat/completions", big, authorization=f"Bearer {keys.make('third')}")[0] == 413
            assert post(f"{url}/chat/completions", ASK, authorization=f"Bearer {poor}")[0] == 429  # another process, the same day


HI = b'"messages":[{"role":"user","content":"x"}]'
MALFORMED = [
    b"", b"null", b"[]", b"{", b'{"model":1}', b'{"model":"small"' + b" " * 100, b"\x00\xff", b'{"model":"nosce/auto"}',
    b'{"model":"nosce/auto","messages":[1]}', b'{"model":"nosce/auto","messages":[]}', b'{"model":"nosce/auto","messages":{}}',
    b'{"model":"small","model":"nosce/auto"}', b'{"model":"nosce/auto","n":"many",' + HI + b"}",
    b'{"model":"nosce/auto","metacognition":{"budget":{"tokens":-1}},' + HI + b"}",
    b'{"model":"nosce/../../etc/passwd",' + HI + b"}", b'{"a":' + b"[" * 50_000 + b"}",
]  # fmt: skip


def test_malformed_bodies_are_400s(tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for body in MALFORMED:
            for path in ("/chat/completions", "/completions", "/responses", "/embeddings"):
                code, answer, _ = post(f"{url}{path}", body)
                assert 400 <= code < 500, body
                assert json.loads(answer)["error"]["message"]


def test_odd_shapes_inside_messages_never_fail_the_server(tmp_path: Path) -> None:
    odd: list[Any] = [
        {"role": "user", "content": None}, {"role": "user", "content": [{"type": "text"}, {"x": 1}]}, {"role": "user\r\nx: y"},
        {"role": 3, "content": {"a": 1}}, {"role": "tool", "tool_calls": [None, {"function": None}]}, {"content": "x" * 10_000},
    ]  # fmt: skip
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for message in odd:
            body = {"model": "nosce/auto", "messages": [message], "stream": message is odd[0]}
            assert post(f"{url}/chat/completions", json.dumps(body).encode())[0] in (200, 400)


def test_headers_cannot_be_injected(tmp_path: Path) -> None:
    reply = Raw(200, {"content-type": "application/json", "x-request-id": "a\x0bb", "openai-model": "é"}, (b"{}",), "keep", 2)
    with serving(lambda call: reply) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        code, _, headers = post(f"{url}/chat/completions", ASK, traceparent="00-\tx")
    assert code in (200, 502)
    assert all("\n" not in v and "\r" not in v for v in headers.values())


def test_an_endless_stream_and_one_that_breaks_off_end(tmp_path: Path) -> None:
    broken = chunks("a", "b", after="drop")
    cut = Raw(200, {"content-type": "text/event-stream"}, broken.pieces[:2], "drop", 10_000)
    with serving(lambda call: cut) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        connection = http.client.HTTPConnection(url.split("/")[2], timeout=10)
        connection.request("POST", "/v1/chat/completions", b'{"model":"small","stream":true}')
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            connection.getresponse().read()
        time.sleep(0.2)
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        assert base.execute("SELECT state, status FROM requests").fetchone() == ("failed", 502)


def test_half_done_requests_of_a_killed_process_are_marked_and_the_file_is_whole(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from nosce.serve.store import Store, STARTED\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for i in range(500): store.put(STARTED, f't{i}', 'k', time.time(), store.process, '/v1/x', 'm', '', 0)\n"
        "store.flush(); print('ready', flush=True)\n"
        "while True: store.put(STARTED, os.urandom(8).hex(), 'k', 0.0, store.process, '/v1/x', 'm', '', 0)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "n.db")], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    store = Store(tmp_path / "n.db")
    states = {row["state"]: row["n"] for row in store.rows("SELECT state, COUNT(*) AS n FROM requests GROUP BY state")}
    assert set(states) == {"interrupted"}
    assert states["interrupted"] >= 500
    assert store.rows("PRAGMA integrity_check")[0][0] == "ok"


def test_a_full_disk_refuses_new_questions_and_is_mended_by_room(tmp_path: Path) -> None:
    store = Store(tmp_path / "n.db")
    store._writer.execute("PRAGMA max_page_count=1")  # the disk is full for the writer
    store.put(STARTED, "x", "k", 0.0, store.process, "/", "m" * 200_000, "", 0)
    with pytest.raises(Exception, match="full"):
        store.flush()
    assert not store.writable
    store._writer.execute("PRAGMA max_page_count=1000000")
    store.put(STARTED, "y", "k", 0.0, store.process, "/", "m", "", 0)
    store.flush()
    assert store.writable
    assert [row["trace_id"] for row in store.rows("SELECT trace_id FROM requests ORDER BY rowid")] == ["x", "y"]
