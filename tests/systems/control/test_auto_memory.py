"""`auto` with lessons beside it: when they are thought with, and what their answer is worth."""

import asyncio
from typing import Any

from tests.systems.conftest import scripted

from nosce.control.ladder import Ladder
from nosce.core.artifact import Artifact
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine, Solved

NOTED = {"lessons": ["it was 7"], "reliability": 0.9}


def solved(data: dict[str, Any] | None, **options: Any) -> Solved:
    """Without a note in view the model says 3, with it what the note says."""
    model = scripted(lambda text, k: "Answer: 7" if "it was 7" in text else "Answer: 3")
    artifact = None if data is None else Artifact("auto", "ladder", data)
    problem = Problem("p", "what is it?")
    return asyncio.run(Engine({"main": model}).solve(problem, registry.find("auto"), options, artifact))


def ladder(enough: float) -> dict[str, Any]:
    return Ladder(("think",), {}, {"think": 0.5}, enough, 200).data()


def test_without_a_promise_lessons_are_thought_with_in_one_call() -> None:
    made = solved(NOTED)
    assert (made.answer.value, made.answer.cost.calls) == ("7", 1)
    assert "nothing is promised" in made.answer.reason
    assert [e.data["lessons"] for e in made.trace.of("decided") if e.data["action"] == "recall"] == [1]


def test_beside_a_ladder_they_stand_only_where_audits_showed_enough() -> None:
    made = solved({**ladder(0.8), **NOTED})
    assert (made.answer.value, made.answer.confidence, made.answer.source) == ("7", 0.9, "memory")
    assert solved({**ladder(0.95), **NOTED}).answer.value == "3"
    assert solved({**ladder(0.4), **NOTED}, least=0.95).answer.outcome == "abstained"  # a promise is never lowered by memory
    assert solved({**ladder(0.0), "lessons": ["it was 7"], "reliability": 0.0}).answer.value == "3"  # nothing is known of them


def test_without_lessons_nothing_changes() -> None:
    assert solved(None).answer.value == "3"
    assert solved({**ladder(0.4), "lessons": [], "reliability": 0.9}).answer.value == "3"
