"""Eight processes at work on one file: nothing of what any of them wrote is lost, and a key's day ends for all of them."""

import json
import sqlite3
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.serve.live import proxy
from tests.serve.running import until
from tests.serve.test_passing import post
from tests.servers.stub import completion, serving

from nosce.serve import schema
from nosce.serve.config import Limits
from nosce.serve.keys import Keys
from nosce.serve.store import Store

PROCESSES, EACH, TOKENS, BUDGET = 8, 25, 10, 1500
WORKER = """
import sys, time
from pathlib import Path
from nosce.serve.config import Limits
from nosce.serve.exchange import Refused
from nosce.serve.keys import Keys
from nosce.serve.lessons import Lessons
from nosce.serve.limits import Gate
from nosce.serve.store import ENDED, STARTED, Store

path, name, key, much = sys.argv[1:]
store = Store(Path(path))
caller, gate, book = Keys(store, Limits()).find(key), Gate(store), Lessons(store)

def answer(i, text):
    trace, now = f"{name}-{i}", time.time()
    store.put(STARTED, trace, caller.id, now, store.process, "/v1/x", "m", "think", 0)
    store.keep("INSERT OR REPLACE INTO traces VALUES (?,?,?,?)", trace, caller.id, now, "{}")
    gate.spend(caller, 10, 0.0)
    store.keep(ENDED, "done", 200, "m", "answered", 0.5, None, "", "", 1, 6, 4, 0.0, 0.0, None, trace)
    if text:
        book.draft(caller.id, trace, "frame", f"{name} asks {i}?", str(i))
        store.flush()
        values = (trace, caller.id, now, 1.0, None)
        assert store.now([("INSERT OR IGNORE INTO feedback(trace_id, key_id, at, score, answer) VALUES (?,?,?,?,?)", values)])
        book.volunteered(trace, caller.id)

if much == "all":
    for i in range(25):
        answer(i, True)
        book.recall(caller.id, "frame", f"{name} asks {i}?")
else:
    ends, i = time.monotonic() + 3.4, 0
    while time.monotonic() < ends:
        try:
            gate.check(caller)
            answer(i, False)
            i += 1
        except Refused:
            pass
        time.sleep(0.02)
store.close()
"""


def eight(path: Path, key: str, much: str) -> None:
    """Run the workers to their end; each must end well, and say nothing."""
    command = [sys.executable, "-c", WORKER, str(path)]
    workers = [subprocess.Popen([*command, f"w{i}", key, much], stderr=subprocess.PIPE, text=True) for i in range(PROCESSES)]
    said = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [(worker.returncode, text) for worker, text in zip(workers, said, strict=True)] == [(0, "")] * PROCESSES


def test_requests_traces_feedback_and_lessons_of_eight_processes_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "nosce.db"
    store = Store(path)
    eight(path, Keys(store, Limits()).make("alice"), "all")
    counts = {table: store.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in ("requests", "traces", "feedback")}
    assert set(counts.values()) == {PROCESSES * EACH}
    assert [tuple(row) for row in store.rows("SELECT state, SUM(prompt_tokens), SUM(completion_tokens) FROM requests")] == [
        ("done", 6 * PROCESSES * EACH, 4 * PROCESSES * EACH)
    ]
    lessons = store.rows("SELECT state, COUNT(*), COUNT(DISTINCT question) FROM lessons GROUP BY state")
    assert [tuple(row) for row in lessons] == [("proposed", PROCESSES * EACH, PROCESSES * EACH)]
    assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
    store.close()


def test_a_keys_day_ends_for_every_process_within_two_seconds(tmp_path: Path) -> None:
    """The stated bound: after the day is used up, another process lets in requests for two seconds at most."""
    path = tmp_path / "nosce.db"
    store = Store(path)
    eight(path, Keys(store, Limits()).make("alice", tokens_per_day=BUDGET), "until refused")
    at = [row["at"] for row in store.rows("SELECT at FROM requests ORDER BY at")]
    assert len(at) * TOKENS >= BUDGET
    used_up = at[BUDGET // TOKENS - 1]
    assert at[-1] <= used_up + 2.0 + 0.5
    assert len({row["process"] for row in store.rows("SELECT process FROM requests")}) == PROCESSES
    store.close()


def test_a_file_that_somebody_holds_too_long_stops_new_questions_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup with a lock on the file, and a patience of 0.4 s here: answers go on for so long, then 503; nobody else waits."""
    monkeypatch.setattr(schema, "PATIENCE", 0.4)
    ask = json.dumps({"model": "small", "messages": [{"role": "user", "content": "2+2"}]}).encode()
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        assert post(f"{url}/chat/completions", ask)[0] == 200
        time.sleep(0.1)
        holder = sqlite3.connect(tmp_path / "nosce.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert post(f"{url}/chat/completions", ask)[0] == 200  # it is written down later
        time.sleep(0.6)
        with ThreadPoolExecutor(4) as pool:
            refused = [pool.submit(post, f"{url}/chat/completions", ask) for _ in range(4)]
            began = time.monotonic()
            assert b"nosce/auto" in urllib.request.urlopen(f"{url}/models", timeout=5).read()
            assert time.monotonic() - began < 0.3
            assert {one.result()[0] for one in refused} == {503}
        holder.execute("COMMIT")
        holder.close()
        assert until(lambda: post(f"{url}/chat/completions", ask)[0] == 200)
        time.sleep(0.1)
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        assert base.execute("SELECT COUNT(*) FROM requests WHERE state='done'").fetchone()[0] == 3 == len(up.calls)
