"""The implicit negative policy, by hand."""

import math
from functools import partial

import numpy as np
import pytest
from tests.learn.conftest import gradient, rolled

from nosce.core.registry import registry
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe

LOGP = [-0.5, -1.0, -0.25, -2.0]


def test_on_policy_it_is_reinforce_with_the_group_mean_as_baseline() -> None:
    recipe, group = registry.find("nft", "recipe").run(), [rolled(r, 1) for r in (1.0, 0.0, 0.0, 0.0)]
    recipe.credit([group], None)
    turns = [r.turns[0] for r in group]
    found = gradient(recipe, turns, [0, 1, 2, 3], LOGP)
    assert found == pytest.approx([-a / 4 for a in recipe.golden["advantages"]])
    plain = Recipe(loss=partial(streams, over="token"))
    for turn, a in zip(turns, recipe.golden["advantages"], strict=True):
        turn.reinforce(a)
        turn.extra.clear()
    assert gradient(plain, turns, [0, 1, 2, 3], LOGP) == pytest.approx(found)


def test_off_policy_a_wrong_token_that_became_likelier_is_pushed_harder() -> None:
    """q = 1/2, R = 1.5: −log((1 − qR)/(1 − q)) has the slope qR/(1 − qR) = 3; without the floor. Weight 1 − q."""
    recipe, group = registry.find("nft", "recipe").run(floor=0.0), [rolled(1.0, 1), rolled(0.0, 1)]
    recipe.credit([group], None)
    wrong = group[1].turns[0]
    wrong.extra["old"] = np.array([-1.0], dtype=np.float32)
    assert gradient(recipe, [wrong], [0], [-1.0 + math.log(1.5)])[0] == pytest.approx(0.5 * 3.0, rel=1e-4)


def test_the_floor_holds_the_value_and_lets_the_gradient_through() -> None:
    recipe, group = registry.find("nft", "recipe").run(), [rolled(1.0, 1), rolled(0.0, 1)]
    recipe.credit([group], None)
    wrong = group[1].turns[0]
    wrong.extra["old"] = np.array([-1.0], dtype=np.float32)
    assert gradient(recipe, [wrong], [0], [-1.0 + math.log(1.5)])[0] == pytest.approx(0.5 * 1.5, rel=1e-4)  # qR/(1 − q) at 1


def test_all_right_or_all_wrong_teaches_nothing() -> None:
    recipe = registry.find("nft", "recipe").run()
    for reward in (0.0, 1.0):
        group = [rolled(reward), rolled(reward)]
        recipe.credit([group], None)
        assert not any(r.turns[0].learned for r in group)
