"""Where to learn next: a bandit over family × level."""

from collections import Counter

import numpy as np
import pytest
from tests.learn.conftest import rolled

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Rollout
from nosce.learn.tiny import TinyEngine

PROBLEMS = [Problem(f"{f}{level}{i}", "1+1", family=f, level=level) for f in "ab" for level in (1, 2) for i in range(3)]


def context(weak: TinyEngine, **state: float) -> Context:
    made = Context(weak, PROBLEMS, Settings())
    made.state["sec"] = state
    return made


def tried(problem: Problem, advantage: float) -> Rollout:
    rollout = rolled(1.0)
    rollout.problem = problem
    rollout.reinforce(advantage)
    return rollout


def test_td_zero_moves_a_value_halfway_to_the_mean_absolute_advantage(weak: TinyEngine) -> None:
    recipe, here = registry.find("S183").run(), context(weak, **{"a/1": 0.2})
    recipe.outer([[tried(PROBLEMS[0], 1.5), tried(PROBLEMS[0], -0.5)], [tried(PROBLEMS[3], 0.0)]], here)
    assert here.state["sec"] == pytest.approx({"a/1": 0.2 + 0.5 * (1.0 - 0.2), "a/2": 0.0})


def test_categories_are_drawn_by_the_softmax_of_their_values(weak: TinyEngine) -> None:
    recipe, here = registry.find("S183").run(temperature=1.0), context(weak, **{"a/1": np.log(3.0)})
    drawn = Counter(f"{p.family}/{p.level}" for p in recipe.curriculum(here, 3000))
    assert drawn["a/1"] / 3000 == pytest.approx(3 / 6, abs=0.04)
    assert drawn["b/2"] / 3000 == pytest.approx(1 / 6, abs=0.04)


def test_with_a_flat_softmax_it_is_grpo_in_random_order(weak: TinyEngine) -> None:
    recipe = registry.find("S183").run(temperature=1e9)
    drawn = Counter(p.id for p in recipe.curriculum(context(weak, **{"a/1": 5.0}), 3000))
    assert len(drawn) == len(PROBLEMS)
    assert max(drawn.values()) < 1.4 * 3000 / len(PROBLEMS)
