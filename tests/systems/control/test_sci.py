"""SCI: sharpness in closed form, the loop's three ends, and the digits study."""

import asyncio
import math

import numpy as np
import pytest

from nosce.control.sharpness import sharpness, votes_sharpness
from nosce.core.problem import Problem
from nosce.systems.control.sci import closed_loop, digits

ASKED = Problem("p", "?", reference="1")


@pytest.mark.parametrize(("p", "expected"), [([0.25] * 4, 0.0), ([1, 0, 0, 0], 1.0), ([0.5, 0.5, 0, 0], 0.5)])
def test_sharpness_is_one_minus_normalised_entropy(p, expected):
    assert sharpness(p) == pytest.approx(expected)


THREE_TO_ONE = 1 - (0.75 * math.log(4 / 3) + 0.25 * math.log(4)) / math.log(4)


@pytest.mark.parametrize(("votes", "expected"), [([1], 0), ([4], 1), ([1, 1, 1, 1], 0), ([2, 2], 0.5), ([3, 1], THREE_TO_ONE)])
def test_sharpness_of_votes(votes, expected):
    assert votes_sharpness(votes) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answers", "draws", "outcome"),
    [
        ("1 1 1 1", 2, "answered"),
        ("1 2 1 1 1 1 1 1 1 1 1 1 1 1 1 1", 7, "answered"),
        ("1 2 3 4 5 6 7 8", 8, "abstained"),
    ],
)
def test_loop_stops_samples_again_or_abstains(scripted, run, answers, draws, outcome):
    """With SP* = .75: 2 of 2 gives 1; one against n−1 first passes at n = 7: 1 − .4101/1.9459 = .789 (n = 6: .749)."""
    said = answers.split()
    answer = run(scripted(lambda _, k: f"Answer: {said[k]}"), "sci/main", ASKED, target=0.75, least=2, most=8).answer
    assert (answer.cost.calls - 1 + 2, answer.outcome) == (draws, outcome)
    assert {s.name: s for s in answer.signals}["delta_sp"].direction == "uncertainty"


def test_closed_loop_counts_passes():
    """Logits [4 passes, 2 inputs, 2 classes]: the first input is sharp at once; the second cancels itself out, SP = 0."""
    passes = np.array([[[9.0, -9.0], [9.0, -9.0]], [[9.0, -9.0], [-9.0, 9.0]]] * 2)
    passes[0, 1] = 0
    passes[2, 1] = 0
    passes[3, 1] = [9.0, -9.0]
    steps, sp, chosen = closed_loop(passes, target=0.9, temperature=1.0)
    assert (steps[0], chosen[0]) == (1, 0)
    assert (steps[1], sp[1]) == (2, pytest.approx(1, abs=1e-2))  # mean logits (−4.5, 4.5): H = .0012 nats
    never = closed_loop(passes, target=2.0, temperature=1.0)
    assert never[0].tolist() == [4, 4]
    assert never[1][1] == pytest.approx(0, abs=1e-9)


def test_wrong_digits_get_more_passes():
    pytest.importorskip("sklearn")
    found = asyncio.run(digits(seed=0))
    assert found["passes_ratio"] > 2
    assert found["auroc_delta_sp"] > 0.6
    assert 0.85 < found["accuracy"] < 1
