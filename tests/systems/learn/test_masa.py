"""Predictions rewarded for matching the rollouts, by hand."""

import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn

SUM = Problem("s", "37+48-12", reference="73")


def thought(outcome: float, tokens: int) -> Rollout:
    return Rollout(SUM, [Turn((1,), tuple(range(tokens)))], outcome=outcome)


def prediction(solve: float, length: float) -> Rollout:
    return Rollout(SUM, [Turn((2,), (3, 4), act="foresee")], signals={"foreseen": solve, "length": length})


def test_a_prediction_is_worth_what_it_matches() -> None:
    recipe = registry.find("masa", "recipe").run()
    group = [thought(1.0, 10), thought(1.0, 20), thought(0.0, 40), thought(0.0, 5), prediction(0.5, 15), prediction(1.0, 30)]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.rewards["outcome"] for r in group] == [1.0, 1.0, 0.0, 0.0, None, None]
    assert group[4].reward == pytest.approx(1.0)  # the rate is ½, 15 lies within 10 and 20
    assert group[5].reward == pytest.approx(0.1 / 2)  # half a point off: 0.01^½; 30 lies outside


@pytest.mark.parametrize(("gap", "expected"), [(0.0, 1.0), (0.5, 0.1), (1.0, 0.01)])
def test_the_golden_vector_holds(gap: float, expected: float) -> None:
    golden = registry.find("masa", "recipe").run().golden
    assert dict(zip(golden["gap"], golden["r_pass"], strict=True))[gap] == expected == pytest.approx(0.01**gap)


def test_without_a_right_thought_only_the_rate_counts() -> None:
    recipe, group = registry.find("masa", "recipe").run(), [thought(0.0, 10), prediction(0.0, 3)]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert group[1].reward == 1.0


def test_thoughts_and_predictions_are_normalised_apart() -> None:
    recipe = registry.find("masa", "recipe").run()
    group = [thought(1.0, 10), thought(0.0, 10), prediction(0.5, 10), prediction(0.5, 10)]
    settle(group, recipe.reward(group, None), recipe.weights)
    recipe.credit([group], None)
    half = 0.5 / (0.5**0.5 + 1e-4)
    assert [float(r.turns[0].advantage[0]) for r in group] == pytest.approx([half, -half, 0.0, 0.0], abs=1e-6)


def test_without_predictions_it_is_grpo() -> None:
    group = [thought(1.0, 10), thought(0.0, 10), thought(0.0, 10), thought(0.0, 10)]
    settle(group, registry.find("masa", "recipe").run().reward(group, None), {})
    registry.find("masa", "recipe").run().credit([group], None)
    golden = registry.find("grpo", "recipe").run().golden
    assert [float(r.turns[0].advantage[0]) for r in group] == pytest.approx(golden["advantages"], abs=1e-4)
