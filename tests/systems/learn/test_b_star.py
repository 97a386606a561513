"""Between exploring and exploiting, by hand."""

import math

import pytest
from tests.learn.conftest import PROBLEM, rolled

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine
from nosce.systems.learn.b_star import balance, kept, worth


def thought(tokens: tuple[int, ...], outcome: float, probability: float, temperature: float = 1.0) -> Rollout:
    logprobs = (math.log(probability),) * len(tokens)
    return Rollout(PROBLEM, [Turn((5,), tokens, temperature=temperature, logprobs=logprobs)], outcome=outcome)


def test_worth_is_outcome_and_geometric_mean_probability() -> None:
    assert worth(thought((1, 2, 3), 1.0, 0.25)) == pytest.approx(1.25)
    assert worth(rolled(0.0)) == 0.0


def test_the_balance_counts_different_samples_and_right_ones() -> None:
    group = [thought((1,), 1.0, 0.9), thought((1,), 1.0, 0.9), thought((2,), 0.0, 0.9), thought((3,), 0.0, 0.1)]
    assert [r.turns[0].tokens for r in kept(group, 0.5)] == [(1,), (2,)]
    golden = registry.find("b-star", "recipe").run().golden
    assert balance(group, 0.5, golden["wanted"]) == golden["balance"]  # 2/4 · 1/2
    assert balance(group, 1.5, 1) == 1.0
    assert balance(group, 2.0, 4) == 0.0


def test_tuning_takes_the_pair_with_the_greatest_balance(weak: TinyEngine) -> None:
    recipe, context = registry.find("b-star", "recipe").run(wanted=2), Context(weak, [PROBLEM], Settings())
    cold = [thought((1,), 1.0, 0.9, 0.5), thought((1,), 1.0, 0.9, 0.5)]
    warm = [thought((1,), 1.0, 0.6, 0.9), thought((2,), 1.0, 0.6, 0.9), thought((3,), 0.0, 0.6, 0.9)]
    recipe.outer([cold, warm], context)
    assert (context.state["temperature"], context.state["threshold"], context.state["balance"]) == (0.9, 1.0, 1.0)
    recipe.credit([warm], context)
    assert [r.turns[0].learned for r in warm] == [True, True, False]


def test_between_tunings_nothing_moves(weak: TinyEngine) -> None:
    recipe, context = registry.find("b-star", "recipe").run(every=10), Context(weak, [PROBLEM], Settings(), step=3)
    recipe.outer([[thought((1,), 1.0, 0.9, 0.5)]], context)
    assert "temperature" not in context.state
