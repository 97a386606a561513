"""A whole run against a server with every fault: each problem ends answered or with its own recorded error."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from stub import Call, Raw, completion, serving

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine, outcomes
from nosce.models.openai import OpenAIModel
from nosce.models.replay import ReplayModel

JSON = {"content-type": "application/json"}
FAULTS = [
    (500, {}), Raw(429, {**JSON, "retry-after": "0"}, (b"{}",), length=2), Raw(200, JSON, (b'{"ch',), "drop", 99),
    Raw(after="hang"), Raw(200, JSON, (b"{",), length=1), {"choices": []}, (400, {"error": {"message": "no"}}),
]  # fmt: skip


def answer(call: Call) -> Any:
    """Every third call goes wrong, each time in the next way."""
    return FAULTS[call.number // 3 % len(FAULTS)] if call.number % 3 == 0 else completion("Thought.\nAnswer: 4")


def test_every_problem_ends_and_the_run_goes_on_to_its_end() -> None:
    problems = [Problem(f"p{i}", f"What is 2+2? ({i})", reference="4") for i in range(60)]

    async def run(url: str) -> list[Any]:
        model = OpenAIModel("m", url, timeout=0.5, deadline=4.0, retries=2, backoff=0.01, concurrency=8)
        engine = Engine({"main": model})
        try:
            return [solved async for solved in engine.solve_all(problems, registry.find("think"))]
        finally:
            await engine.close()

    with serving(answer) as stub:
        began = time.monotonic()
        solved = asyncio.run(run(stub.url))
        assert time.monotonic() - began < 60
    assert sorted(s.problem.id for s in solved) == sorted(p.id for p in problems)
    ends = outcomes(solved)
    assert set(ends) == {"answered", "failed"}
    assert ends["answered"] > 30
    assert all(s.answer.reason and not s.answer.confidence for s in solved if s.answer.outcome == "failed")
    assert all(s.answer.value == "4" for s in solved if s.answer.outcome == "answered")


def test_the_trace_of_a_remote_run_replays_to_the_same_answers() -> None:
    problems = [Problem(f"p{i}", f"What is {i}+2?", reference="4") for i in range(5)]
    system = registry.find("self-consistency")

    async def run(model: Any) -> list[Any]:
        return [s async for s in Engine({"main": model}, seed=3).solve_all(problems, system)]

    with serving(lambda call: completion(f"Answer: {call.number % 3}")) as stub:
        first = asyncio.run(run(OpenAIModel("m", stub.url)))
    again = asyncio.run(run(ReplayModel.of_traces(s.trace for s in first)))
    assert {s.problem.id: (s.answer.value, s.answer.confidence) for s in first} == {
        s.problem.id: (s.answer.value, s.answer.confidence) for s in again
    }
