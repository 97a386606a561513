"""CL, CS and RSS by hand, against the measures of the library, and on a model whose second look is known."""

import asyncio
from itertools import cycle

import numpy as np
import pytest

from nosce.batteries import sit
from nosce.core.battery import Item
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.metrics import confidence_level, critique_score, relative_self_correction_score
from nosce.mind.engine import Engine
from nosce.systems.evaluate import confidence_vs_critique as s280

BEFORE = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0.0])
AFTER = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0.0])


def test_by_hand() -> None:
    assert s280.kept(BEFORE, AFTER) == 3 / 4
    assert s280.mended(BEFORE, AFTER) == 2 / 6
    assert s280.rss(BEFORE, AFTER) == pytest.approx((0.5 - 0.16) / (2 * 0.4 * 0.6))
    assert s280.rss(BEFORE, BEFORE) == pytest.approx(0.5)


def test_the_library_measures_the_same() -> None:
    assert s280.kept(BEFORE, AFTER) == pytest.approx(confidence_level(BEFORE, AFTER).value)
    assert s280.mended(BEFORE, AFTER) == pytest.approx(critique_score(BEFORE, AFTER).value)
    assert s280.rss(BEFORE, AFTER) == pytest.approx(relative_self_correction_score(BEFORE, AFTER).value)


def test_a_trade_off_needs_both_sides() -> None:
    sure, doubting = BEFORE.copy(), BEFORE.copy()
    doubting[0], doubting[4:7] = 0, 1
    assert s280.tradeoff(BEFORE, sure, doubting) == pytest.approx(min(1 / 4, 3 / 6))
    assert s280.tradeoff(BEFORE, sure, sure) == 0.0


def test_a_model_that_stays_when_told_to_and_changes_when_told_to_doubt(scripted) -> None:
    """First answers alternate right and wrong; the plain look is right, the sure one leaves all, the doubting one is always 9."""
    first = cycle(("4", "5"))

    def reply(prompt: str, k: int) -> str:
        if "certain that it is wrong" in prompt:
            return prompt.partition("Proposed answer: ")[2].splitlines()[0].join(("Answer: ", ""))
        if "may well be wrong" in prompt:
            return "Answer: 9"
        return "Answer: 4" if "decide what the answer is" in prompt else f"Answer: {next(first)}"

    items = [Item(Problem(f"p{i}", f"{i}-{i}+2+2", reference="4"), {"samples": 2}) for i in range(4)]
    found = asyncio.run(sit(registry.find("S280"), Engine({"main": scripted(reply)}), items))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert (values["accuracy"], values["cl"], values["cs"], values["rss"]) == (0.5, 1.0, 1.0, pytest.approx(1.5))
    assert values["tradeoff"] == 0.0  # the sure stance keeps more, but doubting mends nothing
