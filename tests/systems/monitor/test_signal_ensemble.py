"""The ensemble of signals as a strategy: the commonest answer is judged, and a model that gives nothing but text will do."""

import asyncio

import numpy as np
import pytest
from tests.scripted import BLACK_BOX, ScriptedChat

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.metrics import auroc2
from nosce.mind.engine import Engine
from nosce.systems.monitor.signal_ensemble import led, signals_of
from nosce.tasks.bundled import draw_problems

ASKED = Problem("p", "2+2", reference="4")


def attempts(*answers):
    return [Attempt(f"n{i}", f"Answer: {a}", a) for i, a in enumerate(answers)]


def test_the_first_of_the_commonest_answer_is_judged():
    made = attempts("5", None, "4", "4")
    assert [a.id for a in led(ASKED, made)] == ["n2", "n0", "n1", "n3"]
    assert led(ASKED, attempts(None, None)) == []


def test_signals_that_need_more_than_the_samples_are_left_out():
    seen = signals_of(ASKED, led(ASKED, attempts("5", "4", "4")))
    assert seen["self-consistency-share"] == pytest.approx(2 / 3)
    assert np.isnan(seen["sequence-probability"])
    assert not {"layer-agreement", "noncontradiction", "token-sar", "pointwise-mutual-information"} & set(seen)


def test_on_a_black_box_it_tells_right_from_wrong(run):
    model = ScriptedChat(BLACK_BOX, error=0.4)
    engine, system = Engine({"main": model}), registry.find("signal-ensemble")

    async def everything():
        made = await engine.prepare(system, [], draw_problems(("arithmetic", "lists"), (1, 2, 3), n=80, part="dev"))
        solved = [s async for s in engine.solve_all(draw_problems(("arithmetic", "lists"), (1, 2, 3), n=80), system, {}, made)]
        return made, solved

    made, solved = asyncio.run(everything())
    assert "self-consistency-share" in made.data["names"]
    assert "sequence-probability" not in made.data["names"]
    sure = [s.answer.confidence for s in solved]
    assert auroc2(sure, [s.problem.check(s.answer.value) >= 0.5 for s in solved]).value > 0.8
    with pytest.raises(InputError, match="k=2"):
        asyncio.run(system.run(ASKED, engine.mind(ASKED), made, k=1))
