"""Pure estimators on hand-computed values, and what holds of every one of them."""

import asyncio
import math

import pytest

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.trials import answering
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.monitor.measure import measures
from nosce.monitor.statistics import Statistics

ASKED = Problem("p", "2+2")


def stats(*answers: str, logprobs: tuple[float, ...] | None = None) -> Statistics:
    return Statistics(ASKED, [Attempt(f"n{i}", a, a, logprobs=logprobs) for i, a in enumerate(answers)])


def test_sequence_probability_is_the_product():
    assert measures()["sequence-probability"](stats("a", logprobs=(math.log(0.5), math.log(0.4)))).value == pytest.approx(0.2)


def test_entropy_of_two_classes_of_three_and_one():
    found = measures()["discrete-semantic-entropy"](stats("a", "b", "a", "a"))
    assert found.value == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert found.confidence == pytest.approx(1 - found.value / math.log(4))


def test_lexical_similarity_is_the_mean_over_pairs():
    found = measures()["lexical-similarity"](stats("one two", "one three", "four"))
    assert found.value == pytest.approx((0.5 + 0 + 0) / 3)


def test_what_is_lacking_gives_no_value():
    assert measures()["sequence-probability"](stats("a")).source == "none"
    assert measures()["lexical-similarity"](stats("a")).value is None


def test_a_measure_is_an_estimator_and_its_confidence_an_answers(scripted):
    texts = ("Answer: 4", "Answer: 5", "Answer: 4", "Answer: 4", "Answer: 4")
    model = scripted(lambda _, k: Sample(texts[k], logprobs=(-0.5,), prompt_tokens=3, completion_tokens=2))
    system = answering(registry.find("discrete-semantic-entropy"))
    solved = asyncio.run(Engine({"main": model}).solve(ASKED, system))
    entropy = -0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    assert solved.answer.confidence == pytest.approx(1 - entropy / math.log(5))
    assert solved.answer.signals[0].value == pytest.approx(entropy)
    assert next(solved.trace.of("measured")).data["name"] == "discrete_semantic_entropy"
