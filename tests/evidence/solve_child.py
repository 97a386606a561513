"""One `solve` that can be run in a process of its own and killed."""

import asyncio
import hashlib
from pathlib import Path

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.plan import Plan
from nosce.evidence.run import solve
from nosce.models.base import Capabilities, Prompt, Request, Sample


class Counting:
    """A remote-like model whose every call appends a line to `calls.log`: what was really paid for."""

    spec, version, dialect, remote, context = "counting", "counting-1", "chat", True, 100_000
    capabilities = Capabilities(n=True, seed=True)

    def __init__(self, log: Path) -> None:
        self.log = log.open("ab", buffering=0)

    async def sample(self, request: Request) -> list[Sample]:
        name = f"{request.prompt.key}:{','.join(map(str, request.keys))}"
        await asyncio.sleep(0.004)
        self.log.write(f"{name}\n".encode())
        digit = int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3
        return [Sample(f"1. so\nAnswer: {digit}", prompt_tokens=20, completion_tokens=5) for _ in request.keys]

    def count(self, prompt: Prompt) -> int:
        return 20

    async def close(self) -> None:
        self.log.close()


def plan_of(folder: Path, n: int) -> Plan:
    """n problems, self-consistency in windows, eight in flight."""
    problems = tuple(Problem(f"p{i}", f"question {i}", reference="1") for i in range(n))
    model = Counting(folder.parent / f"{folder.name}.calls")
    return Plan("made", problems, {"main": model}, registry.find("early-stopping-self-consistency"), {"most": 4, "window": 2},
                out=folder, concurrency=8)  # fmt: skip


def run_in(folder: Path, n: int) -> None:
    """Start or resume the run in a folder; the number of calls found in flight goes to `in_flight.log` beside it."""
    run = asyncio.run(solve(plan_of(folder, n), resume=True))
    with (folder.parent / f"{folder.name}.in_flight").open("a") as log:
        log.write(f"{run.in_flight}\n")
