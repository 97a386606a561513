"""What the engine and a controller cost per attempt, with a model that answers from a table."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Capabilities, Prompt, Sample
from nosce.models.replay import ReplayModel

PROBLEMS, ATTEMPTS = 10_000, 16
_SAMPLES = [Sample(f"1. so\nAnswer: {i % 5}", logprobs=(-0.1,) * 8, prompt_tokens=50, completion_tokens=8) for i in range(ATTEMPTS)]


def _draw(prompt: Prompt, key: int) -> Sample:
    return _SAMPLES[key % ATTEMPTS]


def _problems(n: int) -> Iterator[Problem]:
    return (Problem(f"p{i}", f"what is number {i}?", reference="1") for i in range(n))


async def _solve(n: int) -> int:
    model = ReplayModel.of(_draw, capabilities=Capabilities(n=True, seed=True, logprobs=True))
    engine = Engine({"main": model}, concurrency=64)
    count = 0
    async for solved in engine.solve_all(_problems(n), registry.find("self-consistency"), {"k": ATTEMPTS}):
        count += solved.answer.outcome == "answered"
    return count


def run() -> dict[str, float]:
    """Seconds for 10,000 problems × 16 attempts, microseconds per attempt, and the peak memory of the process in MB."""
    asyncio.run(_solve(200))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    answered = asyncio.run(_solve(PROBLEMS))
    seconds = time.perf_counter() - started
    assert answered == PROBLEMS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": round(seconds, 2), "us_per_attempt": round(seconds / (PROBLEMS * ATTEMPTS) * 1e6, 1),
        "peak_mb": round(peak, 1), "grown_mb": round(peak - before, 1),
    }  # fmt: skip


if __name__ == "__main__":
    print(run())
