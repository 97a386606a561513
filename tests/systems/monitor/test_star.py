"""Trajectories weighed by hand: two that agree against one that is surer."""

from math import exp, log

import pytest

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.core.vote import Bloc
from nosce.models.base import Sample

ASKED = Problem("p", "2+2", reference="4")
THOUGHTS = (("Answer: 5", 0.4), ("Answer: 5", 0.5), ("Answer: 4", 0.9))


def reply(_: str, k: int) -> Sample:
    text, p = THOUGHTS[k % 3]
    return Sample(text, logprobs=(log(p), log(p)), prompt_tokens=3, completion_tokens=2)


def test_the_surer_group_beats_the_larger_one(scripted, run):
    answer = run(scripted(reply), "S204/select", ASKED, k=3).answer
    two, one = 0.25 + 0.20 * 0.45 / 0.9 + 0.55 * 0.5 / 0.9, 0.25 / 2 + 0.20 + 0.55
    assert one > two
    assert answer.value == "4"
    assert answer.confidence == pytest.approx(one / (one + two))


def test_scores_and_confidences_by_hand():
    module = __import__(registry.find("S204/select").run.__module__, fromlist=["x"])
    scores = module.group_scores([Bloc("a", 2, (0, 2)), Bloc("b", 1, (1,))], [0.2, 0.8, 0.6])
    assert scores == pytest.approx([0.25 + 0.2 * 0.4 / 0.8 + 0.55 * 0.6 / 0.8, 0.125 + 0.2 + 0.55])
    with_entropy = Attempt("n0", "", None, logprobs=(log(0.5),), entropies=(1.0,))
    assert module.confidence(with_entropy) == pytest.approx((0.5 + exp(-1)) / 2)
    assert module.confidence(Attempt("n0", "", None, logprobs=(log(0.5),))) == pytest.approx(0.5)


def test_no_answer_and_no_trajectory(scripted, run):
    silent = run(scripted(lambda *_: Sample("?", logprobs=(-1.0,), prompt_tokens=1, completion_tokens=1)), "S204/select", ASKED)
    assert silent.answer.outcome == "abstained"
    with pytest.raises(InputError, match="k=0 of star: expected a whole number of at least 1"):
        run(scripted(reply), "S204/select", ASKED, k=0)
