"""What is kept goes: after its time, by its key, by its name; and then it stands in no file any more."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.serve.running import Server, running, until
from tests.servers.stub import completion, serving

from nosce.cli.app import run as command
from nosce.serve.config import Limits, configure
from nosce.serve.keys import Keys
from nosce.serve.service import Service
from nosce.serve.store import Store

SECRET = "the-word-that-nobody-may-find"
TABLES = ("requests", "traces", "thoughts", "feedback", "audit", "lessons")


def counts(path: Path) -> dict[str, int]:
    store = Store(path)
    found = {table: int(store.rows(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in TABLES}
    store.close()
    return found


def asked(server: Server, text: str, **headers: str) -> str:
    """Ask, and say that it was right; the trace."""
    body = {"model": "nosce/think", "messages": [{"role": "user", "content": text}]}
    trace: str = server.post("/chat/completions", body, **headers)[1]["metacognition"]["trace_id"]
    assert server.post("/feedback", {"trace_id": trace, "answer": SECRET}, **headers)[0] == 200
    return trace


def commanded(path: Path, *arguments: str) -> tuple[int, str]:
    line = [sys.executable, "-m", "nosce", "serve", "forget", *arguments, "--database", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, env=os.environ.copy())
    return done.returncode, done.stdout + done.stderr


def test_a_key_and_a_trace_can_be_forgotten_while_the_server_runs_and_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    store = Store(path)
    alice, bob = ({"authorization": f"Bearer {Keys(store, Limits()).make(name)}"} for name in ("alice", "bob"))
    store.close()
    (tmp_path / "nosce.toml").write_text("[serve]\naudit = 1.0\n")
    with serving(lambda call: completion(f"4 {SECRET}")) as up:
        flags = ("-u", f"small=openai:m@{up.url}", "--config", str(tmp_path / "nosce.toml"), "--trace-text", "--memory")
        with running(path, *flags) as server:
            mine = [asked(server, f"{SECRET} {i}", **alice) for i in range(3)]
            theirs = asked(server, "2+2", **bob)
            files = [path, path.with_name("nosce.db-wal")]
            assert until(lambda: any(SECRET.encode() in one.read_bytes() for one in files))
            none = server.post("/feedback", {"trace_id": "0" * 24, "correct": True}, **bob)
            for name in mine:  # another key's trace looks like none at all
                assert server.post("/feedback", {"trace_id": name, "correct": True}, **bob) == none
                assert server.delete(f"/v1/traces/{name}", **bob) == server.delete(f"/v1/traces/{'0' * 24}", **bob)
            assert server.delete(f"/v1/traces/{mine[0]}", **alice)[0] == 200
            assert counts(path)["requests"] == 3
            assert commanded(path, "--key", "alice") == (0, "2 requests forgotten\n")
            assert server.delete(f"/v1/traces/{theirs}", **bob)[0] == 200
            assert set(counts(path).values()) == {0}
            assert not [one for one in tmp_path.glob("nosce.db*") if SECRET.encode() in one.read_bytes()]
            assert asked(server, "5+5", **bob)  # and it lives on


def test_what_is_older_than_the_settings_allow_is_forgotten_and_lessons_have_their_own_time(tmp_path: Path) -> None:
    memory = {"on": True, "keep_days": 60}
    config = configure(None, (), True, database=tmp_path / "nosce.db", keep_days=30, trace_text=True, memory=memory)
    service, now = Service.of(config), time.time()
    store = service.store
    for name, days in (("old", 31), ("young", 29)):
        at = now - days * 86_400
        request = "INSERT INTO requests(trace_id, key_id, at, process, path, model, state) VALUES (?,'k',?,'','','','done')"
        lesson = (
            "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, expires) "
            "VALUES ('k',?,?,'','','','',?,?)"
        )
        store.now([
            (request, (name, at)), ("INSERT INTO traces VALUES (?,'k',?,'{}')", (name, at)),
            ("INSERT INTO feedback VALUES (?,'k',?,1,NULL)", (name, at)),
            ("INSERT INTO audit(trace_id, key_id, at) VALUES (?,'k',?)", (name, at)),
            (lesson, (at, name, "draft", None)), (lesson, (at, name, "approved", at + 60 * 86_400)),
        ])  # fmt: skip
    store.now([(lesson, (now - 61 * 86_400, "oldest", "approved", now - 86_400))])
    service.tidy()
    for table in ("requests", "traces", "feedback", "audit"):
        assert [row[0] for row in store.rows(f"SELECT trace_id FROM {table}")] == ["young"]
    kept = {(row["trace_id"], row["state"]) for row in store.rows("SELECT * FROM lessons")}
    assert kept == {("young", "draft"), ("young", "approved"), ("old", "approved")}
    asyncio.run(service.close())


@pytest.mark.parametrize("days", ["-1", "nan", "x"])
def test_a_time_that_is_none_forgets_nothing(days: str, tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    with proxy(tmp_path, demo=True) as url:
        _asked_once(url)
    assert command(["serve", "forget", "--older-than", days, "--database", str(path)]) == 2
    assert counts(path)["requests"] == 1


def _asked_once(url: str) -> Any:
    from tests.serve.test_passing import post

    body = {"model": "nosce/auto", "messages": [{"role": "user", "content": "3+4"}]}
    return post(f"{url}/chat/completions", json.dumps(body).encode())
