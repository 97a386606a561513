"""Each step alone, and all of them together."""

import asyncio
from typing import Any

import numpy as np
from tests.scripted import ScriptedChat, worked

from nosce.core.battery import difference
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.systems.evaluate.split_brain import RULES
from nosce.tasks.families import parse


class OneStepAtATime(ScriptedChat):
    """Right on single steps, wrong on anything longer; picks the right rule of precedence."""

    def _one(self, request: Request, key: int) -> Sample:
        said = request.prompt.messages[-1].content
        if "Options:" in said:
            options = [line.partition(". ")[2] for line in said.partition("Options:\n")[2].splitlines() if ". " in line]
            return Sample(f"Choice: {1 + options.index(RULES[0])}", prompt_tokens=3, completion_tokens=3)
        item = parse(next(line for line in said.splitlines() if line.startswith("Question: "))[10:])
        assert item is not None
        answer = worked(item, None)[1] if len(item.steps) == 1 else "0"
        return Sample(f"Answer: {answer}", prompt_tokens=3, completion_tokens=3)


def test_it_comprehends_and_cannot_carry_out() -> None:
    system, engine = registry.find("S003"), Engine({"main": OneStepAtATime()})
    for item in system.options["items"](8, 0, "general"):
        rows: list[dict[str, Any]] = asyncio.run(system.run(item.problem, engine.mind(item.problem), **item.given))
        assert len(rows) == len(item.given["steps"]) > 1
        assert (rows[0]["comprehends"], rows[0]["articulates"], rows[0]["executes"]) == (True, True, False)
        assert all(row["step"] for row in rows)


def test_the_gap_is_paired() -> None:
    assert difference(np.array([1.0, 1, 1, 0]), np.array([1.0, 0, 0, 0])) == 0.5
