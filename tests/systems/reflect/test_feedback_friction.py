"""Rounds of true feedback, with a solver that takes in as much as it is made to."""

import asyncio
from typing import Any

import numpy as np
from tests.scripted import ScriptedChat, worked

from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.tasks.families import parse


class Stubborn(ScriptedChat):
    """Wrong at first; right from the `after`-th revision of the prompt's problem on (0: never)."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.revisions = after, 0

    def _one(self, request: Request, key: int) -> Sample:
        said = request.prompt.messages[-1].content
        item = parse(next(line for line in said.splitlines() if line.startswith("Question: "))[10:])
        assert item is not None
        self.revisions += "Proposed solution" in said
        steps, answer = worked(item, None if self.after and self.revisions >= self.after else np.random.default_rng(self.revisions))
        lines = "".join(f"{i}. {step}\n" for i, step in enumerate(steps, 1))
        return Sample(f"{lines}Answer: {answer}", prompt_tokens=5, completion_tokens=5)


def put(after: int) -> dict[str, Any]:
    system = registry.find("S080")
    item = system.options["items"](1, 0, "general")[0]
    return asyncio.run(system.run(item.problem, Engine({"main": Stubborn(after)}).mind(item.problem)))


def test_one_who_never_listens_keeps_every_mistake() -> None:
    row = put(0)
    assert (row["right"], row["stands_once"], row["stands"], row["stands_warmer"]) == (False, True, True, True)
    assert len(row["tried"]) == 5


def test_one_who_mends_in_the_second_round_has_no_friction() -> None:
    row = put(2)
    assert (row["stands_once"], row["stands"], row["stands_warmer"]) == (True, False, False)
    assert len(row["tried"]) == 2


def test_mitigation_is_what_the_remedies_mend_besides() -> None:
    mitigation = next(m for m in registry.find("S080").options["measures"] if m.name == "mitigation")
    rows = {"stands": np.array([1.0, 1, 0, 1]), "stands_warmer": np.array([1.0, 0, 0, 0])}
    assert mitigation.statistic(*(rows[column] for column in mitigation.columns)) == 0.5
