"""The same error as its own text and as another's: what the model is shown, and the rate by hand."""

import asyncio

import numpy as np
import pytest

from nosce.batteries import sit
from nosce.core.registry import registry
from nosce.metrics import blind_spot_rate
from nosce.mind.engine import Engine
from nosce.systems.evaluate.self_correction_bench import blind_spot, items
from nosce.tasks.families import parse, right
from nosce.tasks.families._judge import judge
from nosce.tasks.planted import planted


def test_the_rate_by_hand_and_by_the_library() -> None:
    own, others = np.array([1, 0, 0, 0, 0.0]), np.array([1, 1, 1, 1, 0.0])
    assert blind_spot(own, others) == pytest.approx((0.8 - 0.2) / 0.8) == blind_spot_rate(own, others).value


@pytest.mark.parametrize("number", range(12))
def test_a_planted_error_is_where_it_says_and_the_answer_follows_from_it(number: int) -> None:
    found = planted("bundled", 0, number, (2, 3, 4))
    item = parse(found.problem.text)
    assert item is not None
    assert judge(item, found.steps, found.wrong).fault == found.fault
    assert not right(item, found.wrong)
    worded = planted("worded", 0, number, (3, 4), midway=True)
    assert worded.fault < len(worded.steps)
    assert worded.problem.check(worded.wrong) == 0.0
    for place, step in enumerate(worded.steps, 1):
        left, _, result = step.partition("=")
        assert (eval(left) == int(result)) == (place != worded.fault)


def test_a_model_that_mends_only_what_others_wrote_is_blind_and_wait_opens_its_eyes(scripted) -> None:
    given = items(12, 0, "general")
    key = {item.problem.text: item.problem.reference for item in given}

    def reply(prompt: str, k: int) -> str:
        solution = key[next(text for text in key if text in prompt)]
        _, marked, prefix = prompt.partition("[prefix] ")
        if marked:
            return f" no.\nAnswer: {solution}" if prefix.endswith("Wait") else "\nAnswer: -1"
        return f"Answer: {solution}" if "Write a corrected" in prompt else "1. 3-4=-1\nAnswer: -1"

    found = asyncio.run(sit(registry.find("S310"), Engine({"main": scripted(reply)}), given))
    values = {f.measure.name: f.estimate and f.estimate.value for f in found.findings}
    assert (values["own"], values["others"], values["blind_spot"], values["wait"]) == (0.0, 1.0, 1.0, 1.0)
    own = next(row for row in found.rows if row["complexity"] == 3)
    assert own["shown"] == "1. 3-4=-1\n"  # a mistake of its own, put before it again
    assert {row["complexity"] for row in found.rows} == {1, 2, 3}
