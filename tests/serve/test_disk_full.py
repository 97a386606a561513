"""A real server whose disk is full, by the operating system: a limit on the size of its files, and a file system without room."""

import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serve.running import Server, running, until
from tests.servers.stub import Call, Raw, completion, serving

HI: list[Any] = [{"role": "user", "content": "2+2"}]
NONE = resource.RLIM_INFINITY
Switch = Callable[[int, bool], None]


def answer(call: Call) -> Any:
    """At once; a slow question after a second and a half, with white space before the answer."""
    if "slowly" not in str(call.body["messages"]):
        return completion("4")
    return Raw(200, {"content-type": "application/json"}, (*[b" "] * 150, json.dumps(completion("4")).encode()), pause=0.01)


def squeezed(folder: Path) -> Iterator[tuple[Path, Switch]]:
    """No file of the server may be longer than a byte, so whatever is written fails; until the limit is lifted."""

    def switch(pid: int, full: bool) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 if full else NONE, NONE))

    yield folder / "nosce.db", switch


def small(folder: Path) -> Iterator[tuple[Path, Switch]]:
    """A file system of four megabytes, filled up to its last byte; until what filled it is deleted."""
    place = folder / "small"
    place.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True).returncode == 0
    if not made:
        pytest.skip("mounting a small file system takes root")

    def switch(pid: int, full: bool) -> None:
        if not full:
            return (place / "filler").unlink()
        with (place / "filler").open("wb", buffering=0) as out, contextlib.suppress(OSError):
            for size in (4096, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        out.write(b"x" * size)

    try:
        yield place / "nosce.db", switch
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def state(server: Server) -> tuple[int, int, float]:
    """(status of a new question, of /health, the metric)"""
    asked = server.post("/chat/completions", {"model": "small", "messages": HI})[0]
    return asked, server.get("/health")[0], server.metric("nosce_journal_writable")


@pytest.mark.parametrize("full", [squeezed, small])
def test_a_full_disk_refuses_new_questions_loses_nothing_and_ends_when_there_is_room(
    full: Callable[[Path], Iterator[tuple[Path, Switch]]], tmp_path: Path
) -> None:
    with contextlib.contextmanager(full)(tmp_path) as (path, switch), serving(answer) as up:
        with running(path, "-u", f"small=openai:m@{up.url}", "--trace-text", "--memory") as server:
            told = server.post("/chat/completions", {"model": "nosce/think", "messages": HI})[1]["metacognition"]
            assert (state(server), server.get("/")[0]) == ((200, 200, 1), 200)
            lines = [
                server.begin({"model": model, "messages": [{"role": "user", "content": "slowly " + "x" * 5000}]})
                for model in ("small", "nosce/think")
            ]
            assert until(lambda: len(up.calls) == 4)
            time.sleep(0.1)
            switch(server.process.pid, True)
            for _ in range(30):  # those whose begin could be noted somehow are still answered
                status, said = server.post("/chat/completions", {"model": "small", "messages": HI, "user": "x" * 20_000})
                if status != 200:
                    break
                time.sleep(0.05)
            assert (status, said["error"]["code"]) == (503, "journal")
            assert "disk full" in said["error"]["message"]
            assert state(server) == (503, 503, 0)
            for line in lines:  # what was under way is answered
                came = line.getresponse()
                assert (came.status, b'"4"' in came.read()) == (200, True)
                line.close()
            asked = len(up.calls)
            assert server.post("/chat/completions", {"model": "nosce/auto", "messages": HI, "stream": True})[0] == 503
            assert server.post("/feedback", {"trace_id": told["trace_id"], "correct": True})[0] == 503
            assert server.get("/v1/models")[0] == 200
            assert server.get("/")[0] == 200  # the dashboard, once it was opened, still shows what there is
            assert len(up.calls) == asked
            switch(server.process.pid, False)
            assert until(lambda: state(server) == (200, 200, 1), 5)
            assert server.post("/feedback", {"trace_id": told["trace_id"], "correct": True})[0] == 200
            time.sleep(0.2)
            with contextlib.closing(sqlite3.connect(path)) as base:
                assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                ended = dict(base.execute("SELECT state, COUNT(*) FROM requests GROUP BY state"))
                (tokens,) = base.execute("SELECT SUM(prompt_tokens + completion_tokens) FROM requests").fetchone()
                (traces,) = base.execute("SELECT COUNT(*) FROM traces").fetchone()
            calls = sum("messages" in call.body for call in up.calls)
            assert (ended, tokens, traces) == ({"done": calls}, 8 * calls, 2)
        assert "Traceback" not in server.log, server.log


def test_workers_live_on_where_their_counters_have_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counters of several processes are files that are mapped into memory: on a full disk they have room already."""
    with contextlib.contextmanager(small)(tmp_path) as (place, switch), serving(answer) as up:
        monkeypatch.setenv("TMPDIR", str(place.parent))
        with running(tmp_path / "nosce.db", "-u", f"small=openai:m@{up.url}", "--workers", "2") as server:
            assert until(lambda: len(list(place.parent.glob("nosce-metrics-*/*.db"))) == 6, 30)  # both are there
            switch(0, True)
            asked = [{"model": model, "messages": HI} for _ in range(8) for model in ("small", "nosce/think")]
            assert [server.post("/chat/completions", body)[0] for body in asked] == [200] * 16
            assert 'nosce_requests_total{path="/v1/chat/completions",state="done",status="200"} 16.0' in server.get("/metrics")[1]


def test_a_server_that_cannot_write_its_file_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from nosce.cli.app import main; main()", "serve", "--demo", "--port", "0"]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # noqa: E731
    made = subprocess.run(
        [*command, "--database", str(tmp_path / "nosce.db")], preexec_fn=limit, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (made.returncode, made.stderr.count("\n")) == (2, 1), made.stderr
    assert "nosce.db" in made.stderr
