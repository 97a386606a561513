"""A process reward behind the outcome."""

import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.steps import standing
from nosce.learn.tiny import TinyEngine

SUM = Problem("s", "37+48-12", reference="73")


def thought(text: str, answer: str) -> Rollout:
    return Rollout(SUM, [Turn((1,), (2,), text=text, answer=answer)], answer, outcome=float(answer == "73"))


THREE = [
    thought("<s1> 37+48=85 <s2> 85-12=73 <ans> 73", "73"),
    thought("<s1> 37+48=85 <s2> 85-12=74 <ans> 73", "73"),  # right by luck: the second step is wrong
    thought("<s1> 37+48=85 <s2> 85-12=73 <ans> 75", "75"),  # right steps, wrong answer
]


def test_steps_stand_until_the_first_wrong_one(weak: TinyEngine) -> None:
    assert [standing(r, weak.model) for r in THREE] == [1.0, 0.5, 1.0]
    assert standing(thought("<ans> 73", "73"), weak.model) is None


@pytest.mark.parametrize("name", ["posterior-grpo", "posterior-grpo/ungated"])
def test_the_golden_vector_holds(name: str, weak: TinyEngine) -> None:
    recipe = registry.find(name, "recipe").run()
    settle(THREE, recipe.reward(THREE, Context(weak, [SUM], Settings())), recipe.weights)
    assert [r.rewards["outcome"] for r in THREE] == recipe.golden["outcome"]
    assert [r.reward for r in THREE] == recipe.golden["rewards"]


def test_with_no_weight_on_the_process_it_ranks_by_outcome(weak: TinyEngine) -> None:
    recipe = registry.find("posterior-grpo", "recipe").run(weight=0.0)
    settle(THREE, recipe.reward(THREE, Context(weak, [SUM], Settings())), recipe.weights)
    assert [r.reward for r in THREE] == [2.0, 2.0, 1.0]
