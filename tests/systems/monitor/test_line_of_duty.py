"""A border drawn and asked for again, by a script."""

import asyncio

import pytest

from nosce.batteries import sit
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.monitor.line_of_duty import items


def test_a_model_that_thinks_it_can_do_everything_is_consistent_on_one_side_alone(scripted) -> None:
    prompts: list[str] = []

    def reply(prompt: str, k: int) -> str:
        prompts.append(prompt)
        if "FEASIBLE or INFEASIBLE" not in prompt:
            return "Task: Smell this rose." if "cannot do properly" in prompt else "Task: Rhyme 'rose'."
        return "INFEASIBLE" if "Smell" in prompt and k == 0 else "FEASIBLE"

    found = asyncio.run(sit(registry.find("S238"), Engine({"main": scripted(reply)}), items(20, 0, "general")))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert values["consistency"] == 0.5
    assert (values["overconfident"], values["conservative"], values["balance"]) == (1.0, 0.0, 1.0)
    assert values["unsure"] == pytest.approx(1 / 20)  # the script gives its one other verdict on the first time of asking
    verdicts = [p for p in prompts if "FEASIBLE or INFEASIBLE" in p]
    assert len(verdicts) == 60
    assert all("cannot do properly" not in p and "Question: " in p for p in verdicts)  # asked in prompts of their own


def test_reasons_and_sides_are_crossed() -> None:
    cells = [(item.given["reason"], item.given["feasible"]) for item in items(20, 0, "general")]
    assert len(set(cells)) == 10
    assert all(cells.count(cell) == 2 for cell in cells)
