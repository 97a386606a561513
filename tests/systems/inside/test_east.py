"""EAST: the direction by hand, and that it reaches the hidden states."""

import math

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.inside.steering import entropy_direction, vote_entropy
from nosce.systems.inside.east import curve

PROBLEMS = [Problem(f"q{i}", f"{i}+{i + 1}") for i in range(6)]
ASKED = Problem("q", "37+48-12", reference="73")


@pytest.mark.parametrize(("votes", "entropy"), [([4], 0), ([2, 2], math.log(2)), ([1, 1, 1, 1], math.log(4)), ([], 0)])
def test_entropy_of_votes(votes, entropy):
    assert vote_entropy(votes) == pytest.approx(entropy)


def test_direction_points_from_the_mean_to_the_uncertain():
    """Unit states (1, 0) and (0, 1), entropies 0 and 1: (0, 1) − (½, ½) = (−½, ½), brought to the mean length 3."""
    v = entropy_direction([[2.0, 0.0], [0.0, 4.0]], [0.0, 1.0])
    assert v == pytest.approx(np.array([-3, 3]) / math.sqrt(2))


def test_no_direction_without_a_difference():
    with pytest.raises(InputError, match="that differ"):
        entropy_direction(np.ones((3, 2)), [0.5, 0.5, 0.5])


def test_curve_of_a_line():
    found = curve([-1, 0, 1], [(1.0, 0.5), (1.5, 0.5), (2.0, 0.5)])
    assert (found["slope"], found["spearman"]) == (pytest.approx(0.5), pytest.approx(1))


def thoughts(solved):
    return [event.data["sample"]["token_ids"] for event in solved.trace.of("sampled")]


def test_no_coefficient_is_self_consistency_and_a_large_one_is_not(organism, run):
    options = {"prepare": PROBLEMS, "samples": 4, "k": 3}
    plain = run(organism, "self-consistency", ASKED, k=3)
    assert thoughts(run(organism, "east/steered", ASKED, beta=0.0, **options)) == thoughts(plain)
    assert thoughts(run(organism, "east/steered", ASKED, beta=2.0, **options)) != thoughts(plain)


def test_steering_is_what_a_session_with_a_hook_computes(organism):
    """The same vector added by a hook gives the same next-token logits as `steer`, seen through greedy tokens."""
    import asyncio

    from nosce.models.base import Prompt, Request

    prompt, vector = Prompt(text="<q> 37+48-12 <think>"), np.linspace(-1, 1, 32, dtype=np.float32)
    request = Request(prompt, (1,), 6, temperature=0.0, steer=(1, tuple(vector.tolist())))
    sampled = asyncio.run(organism.sample(request))[0].token_ids
    session = organism.session(prompt)
    session.hook(1, lambda state: state + vector)
    walked = []
    for _ in sampled:
        walked.append(int(session.logits.argmax()))
        session.step(walked[-1])
    assert tuple(walked) == sampled
