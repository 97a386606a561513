"""Teaching a model to say how sure it is: targets, lessons and pairs, by hand."""

import asyncio

import numpy as np
import pytest

from nosce.core.attempt import Attempt
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.tiny import TinyEngine
from nosce.systems.monitor import multitask_confidence as study
from nosce.systems.monitor.multitask_confidence import Known, commonest, compared, logits_of, pair, pairs, stated, targets
from nosce.tasks.bundled import draw_problems

SUM, PRODUCT = Problem("s", "12+7", reference="19"), Problem("p", "91*3", reference="273")


@pytest.fixture(scope="module")
def taught() -> TinyEngine:
    return TinyEngine("socrates")


def said(answer: str | None, place: int = 0) -> Attempt:
    return Attempt(f"n{place}", f"<s1> 12+7={answer} <ans> {answer}", answer, "think")


def test_the_commonest_answer_comes_with_its_share_and_its_first_attempt() -> None:
    attempts = [said("18", 0), said("19", 1), said(None, 2), said("19", 3)]
    known = commonest(SUM, attempts)
    assert known == Known(SUM, attempts[1], 0.5, 1.0)
    assert commonest(SUM, [said(None)]) is None


def test_a_target_is_the_accuracy_of_its_bin_and_the_noise_is_small() -> None:
    share, right = np.array([0.3, 0.3, 0.95, 1.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0, 0.0])
    plain = targets(share, right)
    assert plain.tolist() == pytest.approx([0.5, 0.5, 2 / 3, 2 / 3, 2 / 3])
    noisy = targets(share, right, np.random.default_rng(0))
    assert 0 < np.abs(noisy - plain).max() <= 0.05
    assert targets(np.array([1.0]), np.array([1.0]), np.random.default_rng(1))[0] <= 1.0


def test_lessons_are_one_rating_and_one_choice(taught: TinyEngine) -> None:
    known = Known(SUM, said("19"), 1.0, 1.0)
    said_so = [taught.read(stated(taught, known, aim).tokens) for aim in (0.0, 0.68, 1.0)]
    assert said_so == ["<r0> <end>", "<r6> <end>", "<r9> <end>"]
    turn = compared(taught, SUM, PRODUCT, second=True)
    assert taught.read(turn.prompt) == "<q> 12+7 <q> 91*3 <foresee>"
    assert taught.read(turn.tokens) == "<s2> <end>"
    assert taught.read(compared(taught, SUM, PRODUCT, second=False).tokens) == "<s1> <end>"


def test_pairs_have_the_right_one_first() -> None:
    asked = [Known(SUM, said("19"), 1.0, 1.0), Known(PRODUCT, said("270"), 1.0, 0.0), Known(SUM, said("18"), 1.0, 0.0)]
    drawn = pairs(asked, 0)
    assert len(drawn) == 2
    assert all(one.right == 1.0 and two.right == 0.0 for one, two in drawn)


def test_stated_confidence_is_what_the_act_of_rating_says(taught: TinyEngine) -> None:
    """Where ratings hold nearly all the mass, the expectation over the ten logits is that of the dialect's reading."""
    known = asyncio.run(study.answered(taught, draw_problems(["arithmetic"], [1, 6], 6, part="train"), 1, 0))
    for one in known:
        rated = asyncio.run(Context(taught, (), Settings()).mind(one.problem).rate(one.problem, one.attempt)).value
        assert asyncio.run(study.confidence(taught, one)) == pytest.approx(rated, abs=2e-3)


def test_a_preference_for_a_place_cancels(taught: TinyEngine) -> None:
    """A question against itself is a tie, whatever place the model likes."""
    prompt, marks = pair(taught, SUM, SUM)
    assert len(set(logits_of(taught, prompt, marks))) == 2
    same = [Known(SUM, said("19"), 1.0, 1.0), Known(SUM, said("18"), 1.0, 0.0)]
    assert asyncio.run(study.measured(taught, same, 0))["pairs"] == 0.5


def test_without_a_model_it_says_so() -> None:
    with pytest.raises(CapabilityError, match="--model socrates"):
        asyncio.run(registry.find("S016").run(None))


def test_questions_that_are_all_right_teach_nothing_about_confidence(taught: TinyEngine) -> None:
    with pytest.raises(InputError, match="all of 1 questions right or all wrong"):
        asyncio.run(study.answered(taught, draw_problems(["arithmetic"], [1], 1, part="train"), 1, 0))
