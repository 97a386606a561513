"""A `solve` run in a process of its own, killed with SIGKILL at random points and resumed."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.plan import Plan
from nosce.evidence.run import solve
from nosce.models.base import Capabilities, Prompt, Request, Sample

PROBLEMS, IN_FLIGHT, KILLS = 150, 8, 50
FORK = multiprocessing.get_context("fork")


class Paid:
    """A model behind a network whose every call appends a line to a log: what was really paid for."""

    spec, version, dialect, remote, context = "paid", "paid-1", "chat", True, 100_000
    capabilities = Capabilities(n=True, seed=True)

    def __init__(self, log: Path) -> None:
        self.log = log.open("ab", buffering=0)

    async def sample(self, request: Request) -> list[Sample]:
        """One of three answers, by a hash of what was asked; logged once it is given."""
        name = f"{request.prompt.key}:{','.join(map(str, request.keys))}"
        await asyncio.sleep(0.004)
        self.log.write(f"{name}\n".encode())
        digit = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3
        return [Sample(f"1. so\nAnswer: {digit}", prompt_tokens=20, completion_tokens=5) for _ in request.keys]

    def count(self, prompt: Prompt) -> int:
        """Every prompt has 20 tokens."""
        return 20

    async def close(self) -> None:
        """Close the log."""
        self.log.close()


def calls_of(folder: Path) -> Path:
    """The log of paid calls of a run's folder."""
    return folder.parent / f"{folder.name}.calls"


def run_in(folder: Path) -> None:
    """Start or resume the run in a folder."""
    problems = tuple(Problem(f"p{i}", f"question {i}", reference="1") for i in range(PROBLEMS))
    system = registry.find("early-stopping-self-consistency")
    options, roster = {"most": 4, "window": 2}, {"main": Paid(calls_of(folder))}
    asyncio.run(solve(Plan("made", problems, roster, system, options, out=folder, concurrency=IN_FLIGHT), resume=True))


def start(folder: Path, work: Callable[[Path], None] = run_in) -> BaseProcess:
    """The run as a child process."""
    child = FORK.Process(target=work, args=(folder,), daemon=True)
    child.start()
    return child


def killed(folder: Path, after: float, work: Callable[[Path], None] = run_in) -> bool:
    """Start the run and kill it so many seconds after its first call; whether it was still at work then."""
    log = calls_of(folder)
    before = log.stat().st_size if log.exists() else 0
    child, deadline = start(folder, work), time.monotonic() + 30
    while child.is_alive() and (not log.exists() or log.stat().st_size == before) and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(after)
    child.kill()
    child.join()
    return child.exitcode == -9


def kill_until_done(folder: Path, kills: int, seed: int) -> int:
    """Kill a run up to `kills` times at random moments after its first call, then let it finish; returns the kills that hit."""
    rng = random.Random(seed)
    hit = sum(killed(folder, rng.uniform(0, 0.06)) for _ in range(kills))
    finish(folder)
    return hit


def finish(folder: Path, work: Callable[[Path], None] = run_in) -> None:
    """Let the run come to its end. Raises RuntimeError when it does not."""
    last = start(folder, work)
    last.join(300)
    if last.exitcode != 0:
        raise RuntimeError(f"the last run in {folder} ended with {last.exitcode}")


def answers_in(folder: Path) -> list[tuple[str, str | None]]:
    """(id, answer) of every row of results.jsonl."""
    with (folder / "results.jsonl").open(encoding="utf-8") as lines:
        return [(row["id"], row["answer"]) for row in map(json.loads, lines)]


def paid_twice(folder: Path) -> int:
    """Calls that were paid for more than once."""
    return sum(count - 1 for count in Counter(calls_of(folder).read_text().split()).values())


def run(kills: int = KILLS) -> dict[str, int]:
    """Kills that hit, and over all runs: problems lost, answered twice, answered otherwise than without a kill; calls repeated."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        run_in(root / "straight")
        want = dict(answers_in(root / "straight"))
        found = Counter(kills=0, lost=0, twice=0, different=0, repeated=0)
        turn = 0
        while found["kills"] < kills and turn < 30:
            turn += 1
            folder = root / f"killed{turn}"
            hit = kill_until_done(folder, 12, turn)
            rows = answers_in(folder)
            got = dict(rows)
            found.update(
                kills=hit, lost=len(want.keys() - got.keys()), twice=len(rows) - len(got),
                different=sum(got.get(key) != value for key, value in want.items()), repeated=paid_twice(folder),
                in_flight_at_most=hit * IN_FLIGHT,
            )  # fmt: skip
    return dict(found)


if __name__ == "__main__":
    print(run())
