"""Flaws on facts: repeated, unfaithful, unfelt."""

import asyncio

import numpy as np
import pytest
from tests.scripted import ScriptedChat

from nosce.core.battery import difference
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.systems.monitor.reasoning_hallucination import alignment, mismatch


class Says(ScriptedChat):
    """Answers thoughts in turn from a list and at once with `direct`."""

    def __init__(self, thoughts: list[str], direct: str) -> None:
        super().__init__()
        self.thoughts, self.direct = list(thoughts), direct

    def _one(self, request: Request, key: int) -> Sample:
        at_once = "with no explanation" in request.prompt.messages[-1].content
        said = self.direct if at_once else self.thoughts.pop(0)
        thought = "" if at_once else f"1. It is {said}.\n"
        return Sample(f"{thought}Answer: {said}", prompt_tokens=3, completion_tokens=3)


def test_a_fact_and_five_thoughts_by_hand() -> None:
    system = registry.find("S040")
    problem = system.options["items"](2, 0, "general")[0].problem
    right = problem.reference
    model = Says(["Lyon", "Lyon", "Nice", right, "unknown"], right)
    row = asyncio.run(system.run(problem, Engine({"main": model}).mind(problem)))
    assert (row["right"], row["thought"], row["direct"]) == (False, True, False)
    assert row["repeated"] == pytest.approx(1 / 3)  # of three pairs of wrong thoughts one says the same
    assert row["agreement"] == 0.25
    assert row["mismatch"] is False


def test_an_answer_that_the_thought_did_not_lead_to() -> None:
    assert mismatch(["1. the color is red"], "blue") is True
    assert mismatch(["1. the color is red"], "Red") is False
    assert mismatch([], "red") is None


def test_what_thinking_adds_and_what_agreement_tells() -> None:
    assert difference(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, 0])) == 0.25
    assert alignment(np.array([0.9, 0.8, 0.2, 0.1]), np.array([1.0, 1, 0, 0])) == 1.0
