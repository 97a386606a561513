"""What cannot work is refused before the first step, with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.learn.conftest import PROBLEM

from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.learn import plan as planning
from nosce.learn.gold import solution
from nosce.learn.plan import chosen, plan
from nosce.learn.recipe import Recipe
from nosce.tasks.load import load_problems

TRAIN = load_problems("family:arithmetic?level=1&n=4&split=train")
Register = Callable[[Recipe], str]


@pytest.fixture
def registered() -> Iterator[Register]:
    """A recipe under a name of its own, for one test."""

    def add(recipe: Recipe) -> str:
        def run() -> Recipe:
            """A recipe."""
            return recipe

        registry.add(System("mine", "main", "mine", "recipe", "learn", frozenset({"gradients"}), run))
        return "mine"

    yield add
    registry._systems.pop(("mine", "main"), None)


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean.*dapo"):
        chosen("dapoo")
    with pytest.raises(InputError, match=r"did you mean.*temperature"):
        chosen("grpo", {"temprature": 1.0})
    with pytest.raises(InputError, match="lr=0"):
        chosen("grpo", {"lr": 0})


def test_a_reward_of_the_wrong_length_is_found_before_the_first_step(registered: Register) -> None:
    name = registered(Recipe(reward=lambda group, context: {"mine": [1.0]}))
    with pytest.raises(InputError, match="'mine' gave 1 values for 8 rollouts"):
        plan(name, "socrates-weak", TRAIN, steps=1)


def test_a_reward_that_is_no_number_is_found_before_the_first_step(registered: Register) -> None:
    name = registered(Recipe(reward=lambda group, context: {"mine": [float("nan")] * len(group)}))
    with pytest.raises(InputError, match="expected a finite number"):
        plan(name, "socrates-weak", TRAIN, steps=1)


def test_data_without_answers_is_refused_where_right_and_wrong_matter(registered: Register) -> None:
    bare = [replace(p, reference=None) for p in TRAIN]
    with pytest.raises(InputError, match="no answer to check against"):
        plan("grpo", "socrates-weak", bare, steps=1)
    even = Recipe(labels=False, reward=lambda group, context: {"length": [float(r.length) for r in group]})
    assert plan(registered(even), "socrates-weak", bare, steps=1).problems == bare


def test_test_problems_are_not_learned_from() -> None:
    with pytest.raises(InputError, match="split=train"):
        plan("grpo", "socrates-weak", load_problems("family:arithmetic?level=1&n=4"), steps=1)


def test_a_question_outside_the_models_grammar_is_refused() -> None:
    with pytest.raises(InputError, match="cannot read these problems"):
        plan("grpo", "socrates-weak", [Problem("x", "Who wrote Hamlet?", reference="Shakespeare")], steps=1)


def test_gold_solutions_are_asked_of_no_one_who_has_none() -> None:
    with pytest.raises(InputError, match="worked solution"):
        solution(Problem("x", "Who wrote Hamlet?", reference="Shakespeare"), "chat")


def test_a_tokenizer_without_the_token_a_recipe_reads_is_refused(registered: Register) -> None:
    with pytest.raises(CapabilityError, match="<zip0>"):
        plan(registered(Recipe(tokens=("<zip0>",))), "socrates-weak", TRAIN, steps=1)


def test_an_act_the_model_was_not_taught_is_refused_unless_the_recipe_teaches_it(registered: Register) -> None:
    with pytest.raises(CapabilityError, match="act revise"):
        plan(registered(Recipe(acts=frozenset({"revise"}))), "socrates-weak", TRAIN, steps=1)
    plan("rlcr", "socrates-weak", TRAIN, steps=1)


def test_too_little_memory_is_estimated_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_free_memory", lambda: 10 * 2**20)
    with pytest.raises(InputError, match="GiB are free"):
        plan("grpo", "socrates-weak", TRAIN, steps=1)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(InputError, match="no problems"):
        plan("grpo", "socrates-weak", [], steps=1)
    assert PROBLEM.graded


def test_settings_of_the_wrong_kind_are_refused() -> None:
    given: Any = [("batch", 1.5), ("group", True), ("temperature", -1), ("warmup", -1), ("max_tokens", 0)]
    for name, value in given:
        with pytest.raises(InputError, match=name):
            chosen("grpo", {name: value})
