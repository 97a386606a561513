"""Remembered successes draw, everything remembered repels."""

import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine

SUM = Problem("s", "37+48-12", reference="73")


def thought(text: str, outcome: float) -> Rollout:
    return Rollout(SUM, [Turn((1,), (2,), text=text)], outcome=outcome)


def test_the_same_words_as_a_success_are_close_and_not_new(weak: TinyEngine) -> None:
    recipe, context = registry.find("S225").run(), Context(weak, [SUM], Settings())
    assert recipe.reward([thought("x", 1.0)], context) == {"outcome": [1.0], "exploit": [0.0], "explore": [1.0]}
    recipe.outer([[thought("alpha beta", 1.0), thought("gamma delta", 0.0)]], context)
    assert context.state["memory"] == [[SUM.text, "alpha beta", True], [SUM.text, "gamma delta", False]]
    found = recipe.reward([thought("alpha beta", 1.0), thought("gamma delta", 0.0), thought("QQQQQQ", 0.0)], context)
    assert found["exploit"][0] == pytest.approx(1.0)
    assert found["explore"][:2] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert found["exploit"][1] < 0.5
    assert found["explore"][2] > 0.5


def test_the_oldest_are_forgotten(weak: TinyEngine) -> None:
    recipe, context = registry.find("S225").run(size=3), Context(weak, [SUM], Settings())
    for i in range(5):
        recipe.outer([[thought(f"t{i}", 1.0)]], context)
    assert [entry[1] for entry in context.state["memory"]] == ["t2", "t3", "t4"]


def test_without_weights_the_reward_is_the_outcome(weak: TinyEngine) -> None:
    recipe = registry.find("S225").run(exploit=0.0, explore=0.0)
    assert set(recipe.weights.values()) == {0.0}
