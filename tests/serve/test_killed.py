"""A real server killed in the midst of requests: what was answered is there, what was not is marked and charged to nobody."""

import http.client
import json
import os
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve import live
from tests.serve.live import proxy
from tests.serve.running import Server, running, until
from tests.serve.streams import chunk
from tests.serve.test_feedback import get
from tests.servers.stub import Call, Raw, completion, serving

from nosce.serve.config import Limits
from nosce.serve.exchange import CUT_OFF
from nosce.serve.keys import Keys
from nosce.serve.store import INTERRUPTED, Store

HI: list[Any] = [{"role": "user", "content": "2+2"}]
SLOW: list[Any] = [{"role": "user", "content": "slowly"}]


def answer(call: Call) -> Any:
    """At once; a slow question never: a stream of it says a little first."""
    if "slowly" not in str(call.body["messages"][0]["content"]):
        return completion("4")
    if call.body.get("stream"):
        return Raw(200, {"content-type": "text/event-stream"}, tuple(chunk({"content": "x"}) for _ in range(5)), "hang")
    return Raw(after="silent")


KINDS = {
    "passed": {"model": "small"}, "passed stream": {"model": "small", "stream": True}, "thought": {"model": "nosce/auto"},
    "thought stream": {"model": "nosce/auto", "stream": True},
}  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(path) as base:
        base.row_factory = sqlite3.Row
        assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return [dict(row) for row in base.execute("SELECT * FROM requests ORDER BY at")]


def test_a_server_killed_in_the_midst_of_requests(tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    store = Store(path)
    key = Keys(store, Limits()).make("alice", tokens_per_day=60)
    store.close()
    mine = {"authorization": f"Bearer {key}"}
    with serving(answer) as up:
        flags = ("-u", f"small=openai:m@{up.url}", "--trace-text", "--memory")
        with running(path, *flags) as server:
            told = server.post("/chat/completions", {"model": "nosce/think", "messages": HI}, **mine)[1]["metacognition"]
            assert server.post("/chat/completions", {"model": "small", "messages": HI}, **mine)[0] == 200
            lines = [server.begin({**kind, "messages": SLOW}, **mine) for kind in KINDS.values()]
            assert until(lambda: len(up.calls) == 2 + len(KINDS))
            heads = [line.getresponse() for line, kind in zip(lines, KINDS.values(), strict=True) if kind.get("stream")]
            time.sleep(0.1)  # what was handed in is on disk after 20 ms
            server.kill()
            assert until(lambda: up.left == len(KINDS))  # no upstream is left at work
        before = rows(path)
        assert [row["state"] for row in before] == ["done", "done", *["started"] * 4]
        with running(path, *flags) as server:
            after = rows(path)
            assert after[:2] == before[:2]
            assert [(row["state"], row["reason"]) for row in after[2:]] == [("interrupted", INTERRUPTED)] * 4
            assert [row["strategy"] for row in after[2:]] == ["", "", "auto", "auto"]
            spent = sum(row["prompt_tokens"] + row["completion_tokens"] for row in after)
            assert spent == 16  # of the two that were answered; what was cut off is charged to nobody
            assert server.metric("nosce_requests_interrupted", **mine) == 4
            assert server.metric("nosce_requests_in_flight", **mine) == 0
            cut = [row["trace_id"] for row in after[2:]]
            assert {head.getheader("x-nosce-trace-id") for head in heads} == {cut[1], cut[3]}
            for trace in cut:
                status, said = server.post("/feedback", {"trace_id": trace, "correct": True}, **mine)
                assert (status, said["error"]["code"]) == (409, "no_answer")
                assert "interrupted" in said["error"]["message"]
            assert server.post("/feedback", {"trace_id": told["trace_id"], "correct": True}, **mine)[0] == 200
            assert server.post("/feedback", {"trace_id": told["trace_id"], "correct": True}, **mine)[0] == 409
            many = [server.post("/chat/completions", {"model": "small", "messages": HI}, **mine)[0] for _ in range(7)]
            assert many == [200] * 6 + [429]  # 16 + 6 × 8 ≥ 60
            assert server.post("/chat/completions", {"model": "small", "messages": HI}, **mine)[0] == 429
        assert len(rows(path)) == 6 + 6
        assert "Traceback" not in server.log


def test_the_dashboard_tells_of_what_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    with serving(answer) as up:
        flags = ("-u", f"small=openai:m@{up.url}")
        with running(path, *flags) as server:
            line = server.begin({"model": "nosce/auto", "messages": SLOW})
            assert until(lambda: len(up.calls) == 1)
            time.sleep(0.1)
            (row,) = rows(path)
            status, said = server.post("/feedback", {"trace_id": row["trace_id"], "correct": True})
            assert (status, "still under way" in said["error"]["message"]) == (409, True)
            server.kill()
            line.close()
        with proxy(tmp_path, flags[1]) as url:
            (row,) = rows(path)
            assert "interrupted" in get(url, "/?show=failed")
            page = get(url, f"/ui/trace/{row['trace_id']}")
            assert (INTERRUPTED in page, "Was it right?" in page) == (True, False)


def test_a_server_that_is_stopped_waits_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its patience is a second here: who waits for an answer gets a 503, a stream breaks off, and the books say how it ended."""
    usual = live.settings
    monkeypatch.setattr(live, "settings", lambda config: {**usual(config), "timeout_graceful_shutdown": 1})
    with serving(answer) as up:
        with live.proxy(tmp_path, f"small=openai:m@{up.url}") as url:
            lines = [http.client.HTTPConnection(url.split("/")[2], timeout=20) for _ in KINDS]
            for line, kind in zip(lines, KINDS.values(), strict=True):
                line.request("POST", "/v1/chat/completions", json.dumps({**kind, "messages": SLOW}))
            assert until(lambda: len(up.calls) == len(KINDS))
        for line, kind in zip(lines, KINDS.values(), strict=True):
            came = line.getresponse()
            if kind.get("stream"):
                with pytest.raises((http.client.IncompleteRead, ConnectionError)):
                    came.read()
            else:
                assert (came.status, json.loads(came.read())["error"]["code"]) == (503, "stopped")
            line.close()
        assert until(lambda: up.left == len(KINDS))
    held = rows(tmp_path / "nosce.db")
    assert [(row["state"], row["status"], row["reason"]) for row in held] == [("interrupted", 503, CUT_OFF)] * 4
    assert [row["completion_tokens"] for row in held] == [0, 3, 0, 0]  # of the stream, what had come is charged


def test_a_worker_that_is_killed_is_replaced_and_what_it_had_under_way_is_marked(tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    with serving(answer) as up, running(path, "-u", f"small=openai:m@{up.url}", "--workers", "2") as server:
        seen = {name for _ in range(16) for name in _asked_and_fed_back(server)}
        assert len(seen) == 16
        lines = [server.begin({"model": "small", "messages": SLOW}) for _ in range(4)]
        assert until(lambda: sum(row["state"] == "started" for row in rows(path)) == 4)
        worker = int(next(row["process"] for row in rows(path) if row["state"] == "started").split("-")[0])
        assert worker != server.process.pid
        had = sum(row["process"].startswith(f"{worker}-") and row["state"] == "started" for row in rows(path))
        os.kill(worker, signal.SIGKILL)
        assert until(lambda: sum(row["state"] == "interrupted" for row in rows(path)) == had, 30)
        assert sum(row["state"] == "started" for row in rows(path)) == 4 - had  # the other worker's go on
        assert server.post("/chat/completions", {"model": "small", "messages": HI})[0] == 200
        for line in lines:
            line.close()


def _asked_and_fed_back(server: Server) -> list[str]:
    """Ask one question, and say at once, over another connection and so perhaps to another worker, that it was right."""
    told = server.post("/chat/completions", {"model": "nosce/think", "messages": HI})[1]["metacognition"]
    assert server.post("/feedback", {"trace_id": told["trace_id"], "correct": True})[0] == 200
    return [told["trace_id"]]
