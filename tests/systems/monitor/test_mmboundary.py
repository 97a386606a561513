"""Step confidence: sureness by hand, the weakest step decides, and levels say what was measured."""

import asyncio
import math

import pytest

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.systems.monitor.mmboundary import PHRASES, _sureness, fit_levels, mmboundary, phrase, step_scores, steps_right
from nosce.tasks.bundled import draw_problems

ASKED = Problem("q", "12+34-5", reference="41", family="arithmetic")


def test_sureness_is_the_mean_of_what_the_model_gives():
    attempt = Attempt("n", "", None, logprobs=(math.log(0.5), math.log(0.5), -9.0), entropies=(0.0, math.log(4), 5.0))
    assert _sureness(attempt, [0, 1], None) == pytest.approx((0.5 + math.exp(-math.log(4) / 2)) / 2)
    bare = Attempt("n", "", None, logprobs=(math.log(0.2), math.log(0.8)))
    import numpy as np

    weighted = math.exp(0.25 * math.log(0.2) + 0.75 * math.log(0.8))
    assert _sureness(bare, [0, 1], np.array([1.0, 3.0])) == pytest.approx((0.4 + weighted) / 2)


def test_levels_have_words():
    assert [phrase(v, (0.9, 0.1, 0.3, 0.5, 0.7)) for v in (0.1, 0.5, 0.9)] == [PHRASES[0], PHRASES[2], PHRASES[4]]
    assert phrase(0.4, (0.4,)) == PHRASES[0]


def test_a_step_is_right_by_its_own_recheck():
    mind = Engine({"main": load("socrates")}).mind(ASKED)
    wrong_then_right = Attempt("n", "<s1> 12+34=47 <s2> 47-5=42 <ans> 42", "42")
    assert steps_right(ASKED, wrong_then_right, mind).tolist() == [0.0, 1.0]
    assert steps_right(Problem("x", "who?", reference="me"), Attempt("n", "me", "me"), mind).tolist() == [1.0]


def test_the_weakest_step_decides_and_every_step_is_in_the_trace():
    mind = Engine({"main": load("socrates")}).mind(ASKED)
    attempt = asyncio.run(mind.think(ASKED))[0]
    scores = step_scores(attempt, mind)
    assert len(scores) == len(mind.dialect.steps(attempt.text)) == 2
    middle = float(scores.mean())
    levels = Artifact("mmboundary", "levels", {"edges": [middle], "values": [0.2, 0.9]})
    assert asyncio.run(mmboundary(ASKED, [attempt], mind, levels)).value == pytest.approx(0.2)
    said = [event.data["name"] for event in mind.work.trace.of("measured")]
    assert len(said) == 3
    assert sum(PHRASES[0] in name for name in said) == 1


def test_levels_are_fitted_on_labelled_steps_and_too_few_are_refused():
    engine = Engine({"main": load("socrates")})
    made = asyncio.run(engine.prepare(registry.find("S031"), [], draw_problems(("arithmetic",), n=40, part="dev")))
    assert len(made.data["values"]) <= 5
    assert all(0 <= value <= 1 for value in made.data["values"])
    with pytest.raises(InputError, match="too few"):
        asyncio.run(fit_levels([ASKED], engine.mind(ASKED)))
