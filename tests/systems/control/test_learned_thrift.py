"""Learning when to think, when to use a tool, when to defer, and to be of use when cut: TON, HDPO, HILA, BRPO, by hand."""

import numpy as np
import pytest
from tests.learn.conftest import gradient

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine
from nosce.systems.control.anytimereasoner import pieces, rates
from nosce.systems.control.ton import skipped
from nosce.tasks.bundled import draw_problems

SUM = Problem("s", "37+48-12", reference="73")


@pytest.fixture(scope="module")
def weak() -> TinyEngine:
    return TinyEngine("socrates-weak")


def test_half_of_the_solutions_come_without_their_thought_and_all_with_their_answer(weak: TinyEngine) -> None:
    recipe, problems = registry.find("ton", "recipe").run(examples=200), draw_problems(["arithmetic"], [2], 50, part="train")
    shown = recipe.augment([], Context(weak, problems, Settings(), steps=40))
    empty = [turn for turn in shown if turn.text.startswith("<ans>")]
    assert len(shown) == 200
    assert 70 < len(empty) < 130
    assert all("<ans>" in turn.text for turn in shown)
    assert not recipe.augment([], Context(weak, problems, Settings(), step=10, steps=40))
    assert recipe.curriculum(Context(weak, problems, Settings(), step=9, steps=40), 4) == []
    assert len(recipe.curriculum(Context(weak, problems, Settings(), step=10, steps=40), 4)) == 4


def test_ton_rewards_outcome_and_format_and_not_shortness() -> None:
    recipe = registry.find("ton", "recipe").run()
    group = [Rollout(SUM, [Turn((1,), (2,) * n)], a, outcome=o) for n, a, o in ((9, "73", 1.0), (1, "70", 0.0), (3, None, 0.0))]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.reward for r in group] == recipe.golden["rewards"]
    assert skipped(Rollout(SUM, [Turn((1,), (2,), text="<ans> 73")])) == 1.0
    assert skipped(Rollout(SUM, [Turn((1,), (2,), text="<s1> 37+48=85 <ans> 73")])) == 0.0


def with_calls(n: int, outcome: float) -> Rollout:
    turns = [Turn((1,), (2, 3), act="think"), *(Turn((1,), (4, 5), act="extend") for _ in range(n))]
    return Rollout(SUM, turns, "73", outcome=outcome)


def test_thrift_is_compared_among_right_answers_alone() -> None:
    recipe = registry.find("hdpo-metis", "recipe").run()
    group = [with_calls(0, 1.0), with_calls(1, 1.0), with_calls(0, 0.0)]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.rewards["thrift"] for r in group] == [1.0, 0.5, None]
    assert [r.rewards["accuracy"] for r in group] == pytest.approx([1.0, 1.0, 0.1])
    recipe.credit([group], None)
    thrift = [float(r.turns[0].extra["thrift"][0]) if "thrift" in r.turns[0].extra else None for r in group]
    assert thrift[0] == pytest.approx(0.25 / (0.5 * 0.5**0.5 + 1e-4))
    assert thrift[1] == pytest.approx(-thrift[0])
    assert thrift[2] is None


def test_without_weight_on_thrift_hdpo_is_grpo_on_accuracy() -> None:
    found = []
    for name, options in (("hdpo-metis", {"weight": 0.0, "format_share": 0.0}), ("grpo", {})):
        recipe, group = registry.find(name, "recipe").run(**options), [with_calls(0, 1.0), with_calls(0, 0.0), with_calls(0, 1.0)]
        settle(group, recipe.reward(group, None), recipe.weights)
        recipe.credit([group], None)
        found.append(gradient(recipe, [r.turns[0] for r in group], [0, 1, 2], [-0.5] * 6))
    assert found[0] == pytest.approx(found[1])


def test_a_deferral_costs_its_price_and_a_thought_its_effort(weak: TinyEngine) -> None:
    recipe = registry.find("hila", "recipe").run(price=0.3)
    made = [Rollout(SUM, [Turn((1,), (2,), answer=a)], a, outcome=o) for a, o in (("73", 1.0), ("70", 0.0), ("unknown", 0.0))]
    settle(made, recipe.reward(made, None), recipe.weights)
    assert [r.reward for r in made] == pytest.approx(recipe.golden["rewards"])
    assert [recipe.columns["utility"](r) for r in made] == [1.0, 0.0, 0.7]
    problem = draw_problems(["arithmetic"], [2], 1, part="train")[0]
    for rollout in made:
        rollout.problem = problem
    shown = recipe.augment([made], Context(weak, [problem], Settings()))
    assert [turn.ce[0] for turn in shown] == pytest.approx([0.2])  # 0.7 is more than the mean thought's 0.47
    made[1].rewards["utility"] = 0.97
    assert not recipe.augment([made], Context(weak, [problem], Settings()))


def test_brpo_of_two_pieces_by_hand() -> None:
    """r = (0, 1), (1, 1): R_1 = ½ and 1, R_2 = ½ both. A_1 = R_1 − ½ mean R_1; A_2 = R_2 − (2 · r_1 · ½)/2."""
    found = pieces(np.array([[0.0, 1.0], [1.0, 1.0]]))
    assert found[:, 0] == pytest.approx([0.5 - 0.375, 1.0 - 0.375])
    assert found[:, 1] == pytest.approx([0.5, 0.0])


def test_brpo_of_three_pieces_weighs_what_was_known_by_powers_of_two() -> None:
    r = np.array([[1.0, 0.0, 1.0]])
    known = (2 * 1.0 + 4 * 0.0) / 6 / 3
    assert pieces(r)[0, 2] == pytest.approx(1 / 3 - known)


def test_a_thought_that_ended_answers_every_later_budget() -> None:
    turns = [
        Turn((1,), (2,), finish="length"), Turn((1,), (3,), role="summary", act="extend", answer="70"),
        Turn((1,), (3,), role="summary", act="extend", answer="73"), Turn((1,), (2,), act="extend", answer="73"),
    ]  # fmt: skip
    assert rates(Rollout(SUM, turns), 4).tolist() == [0.5, 1.0, 1.0, 1.0]
