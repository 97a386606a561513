"""The curve to beat, by hand."""

import asyncio

import numpy as np
import pytest

from nosce.core.problem import Problem
from nosce.evidence.arms import Arm, Bench, frontier_at
from nosce.evidence.prove import verdict
from nosce.metrics import Estimate
from nosce.models.base import Capabilities, Sample
from nosce.models.replay import ReplayModel


def arm(name: str, right: list[float], tokens: float) -> Arm:
    row = np.array([right], dtype=float)
    full = np.full_like(row, tokens)
    return Arm(name, row, full, full, np.ones_like(row), np.full_like(row, np.nan), np.ones_like(row))


CURVE = [arm("self-consistency@1", [1, 0, 0, 0], 100), arm("self-consistency@2", [1, 1, 0, 0], 200)]


@pytest.mark.parametrize(
    ("cost", "accuracy"), [(0, 0.0), (50, 0.125), (100, 0.25), (150, 0.375), (200, 0.5), (1000, 0.5)]
)
def test_between_two_sizes_the_frontier_is_the_mixture_that_costs_as_much(cost: float, accuracy: float) -> None:
    assert frontier_at(CURVE, cost).mean() == pytest.approx(accuracy)


def test_the_mixture_is_paired_with_the_problems() -> None:
    assert frontier_at(CURVE, 150).tolist() == [[1.0, 0.5, 0.0, 0.0]]


def test_a_verdict_needs_the_whole_interval() -> None:
    assert verdict(Estimate(0.1, (0.02, 0.2), 9), 0.0) == "effect seen"
    assert verdict(Estimate(0.1, (-0.02, 0.2), 9), 0.0) == "unclear"
    assert verdict(Estimate(-0.1, (-0.2, -0.02), 9), 0.0) == "not seen"
    assert verdict(Estimate(0.1, (0.02, 0.2), 9), 0.05) == "unclear"
    assert verdict(None, 0.0) == "unclear"


def test_the_frontier_reaches_as_far_as_what_it_is_held_against() -> None:
    said = Sample("Answer: 4", prompt_tokens=10, completion_tokens=5)
    model = ReplayModel.of(lambda prompt, key: said, capabilities=Capabilities(n=True))
    bench = Bench([Problem("p", "2+2", reference="4")], {"main": model})
    assert [a.cost for a in asyncio.run(bench.frontier((1, 2)))] == [15, 20]
    assert [a.cost for a in asyncio.run(bench.frontier((1, 2), up_to=45))] == [15, 20, 30, 50]
