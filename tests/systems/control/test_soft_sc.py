"""SOFT-SC: scores by hand, argmax without a vote, and the adaptive stop."""

import math

import pytest

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.models.base import Sample
from nosce.systems.control.soft_sc import value

ASKED = Problem("p", "?", reference="7")
DRAWS = [("5", (0.5, 0.5)), ("5", (0.5, 0.5)), ("7", (0.9, 0.6)), ("9", (0.8, 0.65))]


def drawn(_: str, k: int) -> Sample:
    answer, probabilities = DRAWS[k % 4]
    return Sample(f"Answer: {answer}", logprobs=tuple(map(math.log, probabilities)), prompt_tokens=10, completion_tokens=2)


@pytest.mark.parametrize(("score", "expected"), [("mean", 0.65), ("min", 0.4), ("product", 0.6)])
def test_score_of_two_tokens(score, expected):
    attempt = Attempt("n0", "", "1", logprobs=(math.log(0.9), math.log(0.4)))
    assert value(attempt, score) == pytest.approx(expected)


def test_unknown_score_is_refused():
    with pytest.raises(InputError, match="mean, min or product"):
        value(Attempt("n0", "", "1", logprobs=(0.0,)), "median")


@pytest.mark.parametrize(
    ("score", "winner", "confidence"), [("mean", "7", 0.75), ("min", "9", 0.65), ("product", "7", math.sqrt(0.54))]
)
def test_takes_the_likeliest_against_the_majority(scripted, run, score, winner, confidence):
    answer = run(scripted(drawn), "soft-sc/main", ASKED, k=4, score=score).answer
    assert (answer.value, answer.source) == (winner, "logprobs")
    assert answer.confidence == pytest.approx(confidence)


@pytest.mark.parametrize(("enough", "calls"), [(0.5, 1), (0.95, 2), (1.55, 3), (1.65, 4), (99, 6)])
def test_samples_until_the_weakest_tokens_add_up(scripted, run, enough, calls):
    """Least probabilities in draw order: .5, .5, .6, .65, .5, .5."""
    answer = run(scripted(drawn), "soft-sc/adaptive", ASKED, enough=enough, most=6).answer
    assert answer.cost.calls == calls
