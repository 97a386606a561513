"""Only the reflection is rewarded, only after a failure."""

import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn

SUM = Problem("s", "37+48-12", reference="73")


def tries(first: str, second: str | None) -> Rollout:
    turns = [Turn((1,), (2,), answer=first)]
    if second is not None:
        turns += [Turn((1, 2), (3, 4), act="critique"), Turn((1, 2, 3), (5,), act="revise", answer=second)]
    last = second or first
    return Rollout(SUM, turns, last, outcome=float(last == "73"))


def test_the_golden_vector_and_where_the_advantage_goes() -> None:
    recipe = registry.find("reflect-retry-reward", "recipe").run()
    group = [tries("70", "73"), tries("71", "72"), tries("73", None)]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.rewards["retry"] for r in group] == recipe.golden["rewards"]
    recipe.credit([group], None)
    half = 0.5 / (0.5**0.5 + 1e-4)
    assert [float(t.advantage[0]) for t in group[0].turns] == pytest.approx([0.0, half, 0.0])
    assert [float(t.advantage[0]) for t in group[1].turns] == pytest.approx([0.0, -half, 0.0])
    assert not group[2].turns[0].learned


def test_a_single_failure_has_nothing_to_be_compared_with() -> None:
    recipe = registry.find("reflect-retry-reward", "recipe").run()
    group = [tries("70", "73"), tries("73", None)]
    settle(group, recipe.reward(group, None), recipe.weights)
    recipe.credit([group], None)
    assert not any(t.learned for r in group for t in r.turns)
