"""Entity recognition: its arithmetic by hand, its names apart, and its effect on the bundled model."""

import asyncio

import numpy as np
import pytest

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.systems.inside.entity_recognition import _directions, _moved, _names, fires, steers
from nosce.tasks.families.facts import known_entities


@pytest.fixture
def mind():
    return Engine({"main": load("socrates")}).mind(Problem("study", ""))


def test_half_of_the_names_are_known_and_none_comes_twice():
    names, known = _names(np.random.default_rng(0), 60)
    assert len(set(names)) == 60
    assert [name in known_entities() for name in names] == known.tolist()
    assert known.sum() == 30


def test_the_direction_is_the_difference_of_the_means_at_each_layer():
    states = np.array([[[1.0, 0.0], [2.0, 2.0]], [[0.0, 1.0], [0.0, 0.0]], [[3.0, 0.0], [4.0, 0.0]]])
    assert _directions(states, np.array([True, False, True])).tolist() == [[2.0, -1.0], [3.0, 1.0]]


def test_what_moved_by_hand():
    """Known: refusals 0 of 2 → 1 of 2 under minus; unknown: 2 of 2 → 0 of 2 under plus: (½ + 1)/2."""
    known = np.array([True, True, False, False])
    plain, minus, plus = np.array([0.0, 0, 1, 1]), np.array([1.0, 0, 1, 1]), np.array([0.0, 0, 0, 0])
    assert _moved(plain, minus, plus, known) == 0.75
    assert _moved(plain, plain, plain, known) == 0.0


def test_where_the_value_is_due_the_model_knows_whether_it_knows(mind):
    found = asyncio.run(fires(mind, seed=100, n=40, where="answer"))
    assert found["auroc"] > 0.75 > found["baseline"]
    assert len(found["first"]) == 6
    assert mind.work.meter.spent.calls == 80


def test_along_the_direction_it_refuses_what_it_knows_and_makes_up_what_it_does_not(mind):
    found = asyncio.run(steers(mind, seed=100, n=24, layer=5, dose=1.0, where="answer"))
    assert found["known"]["minus"] > found["known"]["plain"] + 0.2
    assert found["unknown"]["plus"] < found["unknown"]["plain"] - 0.2
    assert found["refusal_moved"] > found["baseline"] + 0.2


def test_a_model_without_the_bundled_facts_is_refused(scripted):
    chat = Engine({"main": scripted(lambda *_: "4")}).mind(Problem("study", ""))
    for study in (fires, steers):
        with pytest.raises(CapabilityError, match="bundled facts"):
            asyncio.run(study(chat))
        with pytest.raises(CapabilityError, match="bundled facts"):
            asyncio.run(study(None))
