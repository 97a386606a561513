"""A refinement among one's own samples."""

import asyncio

import numpy as np
import pytest
from tests.learn.conftest import gradient, rolled

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.tiny import TinyEngine
from nosce.tasks.bundled import draw_problems


def test_an_unlikely_token_of_a_refinement_is_lifted_by_the_slope_of_p_over_p_plus_gamma() -> None:
    """f(p) = p/(p + γ), df/dlog p = pγ/(p + γ)²: ¼ at p = γ. Own tokens have the slope of the ratio, 1."""
    recipe, group = registry.find("critique-grpo", "recipe").run(length=10), [rolled(0.0, 1), rolled(1.0, 1)]
    group[1].turns[0].extra["refined"] = np.ones(1, dtype=np.float32)
    recipe.credit([group], None)
    found = gradient(recipe, [r.turns[0] for r in group], [0, 1], [-0.5, float(np.log(0.1))])
    assert found == pytest.approx([0.5 / 20, -0.5 * recipe.golden["slope"] / 20])


def test_without_refinements_it_is_dr_grpo_without_a_clip() -> None:
    rewards, logp = (1.0, 0.0, 0.0), [-0.5] * 9
    made = []
    for name, options in (("critique-grpo", {"length": 10}), ("dr-grpo", {"length": 10})):
        recipe, group = registry.find(name, "recipe").run(**options), [rolled(r) for r in rewards]
        recipe.credit([group], None)
        made.append(gradient(recipe, [r.turns[0] for r in group], [0, 1, 2], logp))
    assert made[0] == pytest.approx(made[1])


def test_one_of_the_group_is_a_refinement_told_as_a_thought() -> None:
    engine = TinyEngine("socrates")
    recipe = registry.find("critique-grpo", "recipe").run()
    hard = draw_problems(["arithmetic"], [5], 6, part="train")
    context = Context(engine, hard, Settings())
    groups = [asyncio.run(recipe.rollout(problem, context, 4)) for problem in hard]
    refined = [r for group in groups for r in group if r.turns[0].extra]
    assert refined
    assert all(len(group) in (3, 4) for group in groups)
    for rollout in refined:
        thought = next(r for group in groups for r in group if r.problem is rollout.problem)
        assert rollout.turns[0].prompt == thought.turns[0].prompt
