"""A run killed with SIGKILL at random points loses nothing and pays for nothing twice but what was in flight."""

import json
import multiprocessing
import random
import time
from collections import Counter
from pathlib import Path

from tests.evidence.solve_child import run_in

PROBLEMS, IN_FLIGHT = 150, 8
FORK = multiprocessing.get_context("fork")


def start(folder: Path) -> multiprocessing.process.BaseProcess:
    child = FORK.Process(target=run_in, args=(folder, PROBLEMS), daemon=True)
    child.start()
    return child


def kill_until_done(folder: Path, kills: int, seed: int) -> int:
    """Kill a run up to `kills` times at random moments after its first call, then let it finish; returns the kills that hit."""
    rng, hit = random.Random(seed), 0
    log = folder.parent / f"{folder.name}.calls"
    for _ in range(kills):
        before = log.stat().st_size if log.exists() else 0
        child, deadline = start(folder), time.monotonic() + 30
        while child.is_alive() and (not log.exists() or log.stat().st_size == before) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.06))
        child.kill()
        child.join()
        hit += child.exitcode == -9
    last = start(folder)
    last.join(60)
    assert last.exitcode == 0
    return hit


def test_killed_runs_end_with_every_problem_answered_once(tmp_path: Path) -> None:
    straight = tmp_path / "straight"
    run_in(straight, PROBLEMS)
    want = {row["id"]: row["answer"] for row in map(json.loads, (straight / "results.jsonl").open())}
    hits = seed = 0
    while hits < 50:
        seed += 1
        assert seed < 30, "the kills come too late to hit anything"
        folder = tmp_path / f"killed{seed}"
        hit = kill_until_done(folder, 12, seed)
        hits += hit
        rows = [json.loads(line) for line in (folder / "results.jsonl").open()]
        assert Counter(row["id"] for row in rows) == dict.fromkeys(want, 1)
        assert {row["id"]: row["answer"] for row in rows} == want
        assert len((folder / "traces.jsonl").read_text().splitlines()) == PROBLEMS
        assert paid_twice(folder) <= hit * IN_FLIGHT


def paid_twice(folder: Path) -> int:
    """Calls that went out more than once. A call may repeat only when a kill caught it in flight."""
    calls = Counter((folder.parent / f"{folder.name}.calls").read_text().split())
    return sum(count - 1 for count in calls.values())
