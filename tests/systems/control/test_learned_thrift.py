"""Learning when to think, when to use a tool, when to defer, and to be of use when cut: TON, HDPO, HILA, BRPO, by hand."""

import asyncio
from types import SimpleNamespace
from typing import Any

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
from nosce.systems.control.hdpo import calls
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


AFTER: Any = SimpleNamespace(step=20, steps=40)
"""Where a run stands after its cold start."""


def with_calls(n: int, outcome: float) -> Rollout:
    turns = [Turn((1,), (2, 3), act="think"), *(Turn((1,), (4, 5), act="extend") for _ in range(n))]
    return Rollout(SUM, turns, "73", outcome=outcome)


def test_thrift_is_compared_among_right_answers_alone() -> None:
    recipe = registry.find("hdpo-metis", "recipe").run()
    group = [with_calls(0, 1.0), with_calls(1, 1.0), with_calls(0, 0.0)]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.rewards["thrift"] for r in group] == [1.0, 0.5, None]
    assert [r.rewards["accuracy"] for r in group] == pytest.approx([1.0, 1.0, 0.1])
    recipe.credit([group], AFTER)
    thrift = [float(r.turns[0].extra["thrift"][0]) if "thrift" in r.turns[0].extra else None for r in group]
    assert thrift[0] == pytest.approx(0.25 / (0.5 * 0.5**0.5 + 1e-4))
    assert thrift[1] == pytest.approx(-thrift[0])
    assert thrift[2] is None


def test_a_cold_start_shows_right_answers_with_and_without_the_tool_to_the_same_question() -> None:
    """Half of the group is made without a calculator; what is right of both is imitated after the question that offers one."""
    engine = TinyEngine("socrates")
    problems = draw_problems(["sums"], [1], 3, part="train")
    recipe, context = registry.find("hdpo-metis", "recipe").run(), Context(engine, problems, Settings(), steps=40)
    groups = [asyncio.run(recipe.rollout(problem, context, 4)) for problem in problems]
    assert [[calls(r) > 0 for r in group][:2] for group in groups] == [[False, False]] * 3
    assert any(calls(r) for group in groups for r in group[2:])
    for group in groups:
        settle(group, recipe.reward(group, context), recipe.weights)
    recipe.credit(groups, context)
    assert not any(turn.rl.any() for group in groups for r in group for turn in r.turns)
    shown = recipe.augment(groups, context)
    heads = [turn.prompt for turn in shown if turn.prompt in {r.turns[0].prompt for group in groups for r in group}]
    assert len(set(heads)) == 3
    assert len(heads) == 64  # 32 of each kind
    assert len(shown) > 64  # calls go on in turns of their own
    assert all(turn.ce.all() for turn in shown)
    assert not recipe.augment(groups, AFTER)


def test_without_weight_on_thrift_hdpo_is_grpo_on_accuracy() -> None:
    found = []
    for name, options in (("hdpo-metis", {"weight": 0.0, "format_share": 0.0}), ("grpo", {})):
        recipe, group = registry.find(name, "recipe").run(**options), [with_calls(0, 1.0), with_calls(0, 0.0), with_calls(0, 1.0)]
        settle(group, recipe.reward(group, None), recipe.weights)
        recipe.credit([group], AFTER)
        found.append(gradient(recipe, [r.turns[0] for r in group], [0, 1, 2], [-0.5] * 6))
    assert found[0] == pytest.approx(found[1])


def test_a_deferral_costs_its_price_and_an_answer_its_effort(weak: TinyEngine) -> None:
    recipe = registry.find("hila", "recipe").run(price=0.3)
    made = [handed("73", 1.0, 0.95), handed("70", 0.0, 0.95), handed("73", 1.0, 0.15), handed("70", 0.0, 0.15)]
    settle(made, recipe.reward(made, None), recipe.weights)
    assert [r.reward for r in made] == pytest.approx([*recipe.golden["rewards"], 0.7])
    assert [recipe.columns["utility"](r) for r in made] == [1.0, 0.0, 0.7, 0.7]
    assert [recipe.columns["answering"](r) for r in made] == [1.0, 0.0, 1.0, 0.0]
    assert {recipe.columns["deferring"](r) for r in made} == {0.7}
    problem = draw_problems(["arithmetic"], [2], 1, part="train")[0]
    for rollout in made:
        rollout.problem = problem
    shown = recipe.augment([made], Context(weak, [problem], Settings()))
    assert [turn.ce[0] for turn in shown] == pytest.approx([0.2])  # 0.7 is more than the mean 0.47 of the answers kept
    made[1].rewards["utility"] = 0.97
    assert not recipe.augment([made], Context(weak, [problem], Settings()))


def handed(answer: str, outcome: float, confidence: float) -> Rollout:
    """A thought and what was said of it."""
    turns = [Turn((1,), (2, 3), answer=answer), Turn((1,), (4,), act="rate")]
    return Rollout(SUM, turns, None if confidence < 0.5 else answer, confidence, outcome if confidence > 0.5 else 0.0)


def test_hila_credits_the_thought_as_grpo_does_and_the_decision_with_its_utility() -> None:
    """Outcomes 1, 0, 1, 0: ±0.866. Utilities 0.97, −0.03, 0.7, 0.7 have mean 0.585."""
    recipe = registry.find("hila", "recipe").run(price=0.3)
    group = [handed("73", 1.0, 0.95), handed("70", 0.0, 0.95), handed("73", 1.0, 0.15), handed("70", 0.0, 0.15)]
    settle(group, recipe.reward(group, None), recipe.weights)
    recipe.credit([group], None)
    assert [float(r.turns[0].advantage[0]) for r in group] == pytest.approx([0.8659, -0.8659, 0.8659, -0.8659], abs=1e-3)
    spread = float(np.std([0.97, -0.03, 0.7, 0.7], ddof=1)) + 1e-4
    expected = [(u - 0.585) / spread for u in (0.97, -0.03, 0.7, 0.7)]
    assert [float(r.turns[1].advantage[0]) for r in group] == pytest.approx(expected, abs=1e-6)


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
