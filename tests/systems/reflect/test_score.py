"""Two attempts, each credited alone, in two stages."""

import numpy as np
import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rewards import first_right
from nosce.learn.rollout import Rollout, Turn
from nosce.systems.reflect.score import mended

SUM = Problem("s", "37+48-12", reference="73")


def attempts(first: str, second: str) -> Rollout:
    turns = [Turn((1,), (2, 3), answer=first), Turn((1, 2), (4,), act="revise", answer=second)]
    return Rollout(SUM, turns, second, outcome=float(second == "73"))


GROUP = [("73", "73"), ("75", "73"), ("73", "75"), ("75", "75")]


def credited(step: int) -> list[tuple[float, float, float]]:
    recipe, group = registry.find("score", "recipe").run(), [attempts(*pair) for pair in GROUP]
    context = Context.__new__(Context)
    context.step, context.steps, context.settings = step, 10, Settings()
    recipe.credit([group], context)
    return [(float(r.turns[0].advantage[0]), float(r.turns[1].advantage[0]), float(r.turns[0].kl[0])) for r in group]


def test_the_first_stage_rewards_the_second_attempt_alone_and_anchors_the_first() -> None:
    assert credited(0) == [pytest.approx(row) for row in ((0, 0.5, 0.1), (0, 0.5, 0.1), (0, -0.5, 0.1), (0, -0.5, 0.1))]


def test_the_second_stage_makes_mending_worth_more_than_being_right_at_once() -> None:
    """r2 + 10 (r2 − r1): 1, 11, −10, 0, mean ½."""
    found = credited(5)
    assert [row[1] for row in found] == pytest.approx([0.5, 10.5, -10.5, -0.5])
    assert [row[0] for row in found] == pytest.approx([0.5, -0.5, 0.5, -0.5])
    assert {round(row[2], 3) for row in found} == {0.01}


def test_without_the_bonus_each_attempt_is_plain_centred_reinforcement() -> None:
    recipe, group = registry.find("score", "recipe").run(alpha=0.0, first=0.0), [attempts(*pair) for pair in GROUP]
    context = Context.__new__(Context)
    context.step, context.steps = 0, 10
    recipe.credit([group], context)
    for at, outcome in ((0, [1.0, 0, 1, 0]), (1, [1.0, 1, 0, 0])):
        assert [float(r.turns[at].advantage[0]) for r in group] == pytest.approx(list(np.array(outcome) - 0.5))


def test_what_the_second_attempt_mended() -> None:
    assert [mended(attempts(*pair)) for pair in GROUP] == [0.0, 1.0, -1.0, 0.0]
    assert first_right(attempts("73", "75")) == 1.0
