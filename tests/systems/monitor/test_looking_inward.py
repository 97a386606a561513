"""Foretelling one's own answers: by hand, and against oneself."""

import asyncio

import numpy as np
import pytest

from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.imitation import fine_tune
from nosce.learn.tiny import TinyEngine
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.models.load import load
from nosce.systems.monitor.looking_inward import behaviour, characters, follows, hit, hypothetical, lessons, modal

ASKED = [Problem("a", "12+7", reference="19"), Problem("b", "2*4", reference="8"), Problem("c", "91*3", reference="273")]


def mind(**roster: str) -> Mind:
    return Engine({name: load(spec) for name, spec in roster.items()}).mind(Problem("study", ""))


def test_the_properties_of_an_answer_are_its_first_second_and_last_character() -> None:
    assert characters(ASKED, {"a": "19", "b": "8", "c": "273"}) == [["1", "9", "9"], ["8", "none", "8"], ["2", "7", "3"]]
    assert modal(ASKED, ASKED[:2], {"a": "19", "b": "19", "c": "8"}) == 1.0
    assert modal(ASKED, [ASKED[2]], {"a": "19", "b": "19", "c": "8"}) == 0.0


def test_a_prediction_follows_a_change_when_it_is_of_the_new_answer() -> None:
    was, now = {"a": "19", "b": "8", "c": "273"}, {"a": "29", "b": "8", "c": "273"}
    told_new = [["2", "9", "9"], ["8", "none", "8"], ["2", "7", "3"]]
    told_old = [["1", "9", "9"], ["8", "none", "8"], ["2", "7", "3"]]
    assert follows(was, now, told_new, ASKED) == {"changed": pytest.approx(1 / 9), "follows": 1.0}
    assert follows(was, now, told_old, ASKED)["follows"] == -1.0
    assert follows(was, was, told_old, ASKED) == {"changed": 0.0, "follows": 0.0}


def test_each_property_has_a_question_and_its_lesson_ends_with_the_text() -> None:
    engine = TinyEngine("socrates-weak")
    asked = [hypothetical(engine, ASKED[1], name).text for name in ("first", "second", "last")]
    assert asked == [f"<q> 2*4 <foresee> <s{k}>" for k in (1, 2, 3)]
    taught = lessons(engine, ASKED[1:2], {"b": "8"})
    assert [engine.read(turn.tokens) for turn in taught] == ["8 <end>", "<none> <end>", "8 <end>"]
    assert all(turn.ce.all() and not turn.rl.any() for turn in taught)
    assert not lessons(engine, ASKED[1:2], {"b": ""})


def test_behaviour_is_what_is_answered_at_once_without_chance() -> None:
    engine = TinyEngine("socrates-weak")
    first = asyncio.run(behaviour(engine, ASKED))
    assert first == asyncio.run(behaviour(engine, ASKED))
    assert all(answer.isdigit() for answer in first.values())
    assert np.shape(asyncio.run(hit(engine, ASKED, first))) == (3, 3)


def test_no_one_knows_itself_better_than_its_own_double() -> None:
    """With M2 = M1 both are the same weights trained on the same record: there is no privileged access to be seen."""
    found = asyncio.run(
        registry.find("looking-inward").run(
            mind(main="socrates"), m1="socrates-weak", m2="socrates-weak", n=12, held=8, steps=2, batch=8, change=1
        )
    )
    assert found["self_prediction"] == found["baseline"] == found["reverse_self"] == found["reverse_cross"]
    assert found["self_on_errors"] == found["cross_on_errors"]


def test_it_takes_two() -> None:
    with pytest.raises(CapabilityError, match="role other"):
        asyncio.run(registry.find("looking-inward").run(mind(main="socrates")))


def test_a_model_without_a_single_answer_is_refused_before_it_is_tuned() -> None:
    with pytest.raises(InputError, match="nothing to be tuned on"):
        asyncio.run(fine_tune(TinyEngine("socrates-weak"), [], steps=1))
