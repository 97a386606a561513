"""The gap in closed form: answers and beliefs are given, the figure follows."""

import asyncio
from itertools import cycle

import pytest

from nosce.batteries import sit
from nosce.core.battery import Item
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Sample


def sat(scripted, right: float, wrong: float):
    """Four answers a question, one of them right; P(correct) is `right` for it and `wrong` for the others."""
    import math

    said = cycle(("5", "4", "5", "6"))

    def reply(prompt: str, k: int) -> Sample | str:
        if "True or False" not in prompt:
            return f"Answer: {next(said)}"
        p = right if "Proposed answer: 4" in prompt else wrong
        return Sample("True", top=((("True", math.log(p)), ("False", math.log(1 - p))),), prompt_tokens=9, completion_tokens=1)

    items = [Item(Problem(f"p{i}", f"{i}-{i}+2+2", reference="4"), {"samples": 4}) for i in range(3)]
    found = asyncio.run(sit(registry.find("S277"), Engine({"main": scripted(reply)}), items))
    return {f.measure.name: f.estimate and f.estimate.value for f in found.findings}


def test_a_verifier_that_knows_closes_the_gap(scripted) -> None:
    values = sat(scripted, 0.9, 0.3)
    assert values["generated"] == 0.25
    assert values["gap"] == pytest.approx(0.9 / 1.8 - 0.25)
    assert values["relative_gap"] == pytest.approx(0.25 / 0.75)
    assert (values["selection_gap"], values["over_voting"]) == (0.75, 1.0)


def test_a_verifier_that_knows_nothing_leaves_generation_as_it_was(scripted) -> None:
    values = sat(scripted, 0.5, 0.5)
    assert values["gap"] == pytest.approx(0.0)
