"""Each baseline by its closed form."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from tests.learn.conftest import PROBLEM, advantages, gradient, rolled

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.gold import example
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout
from nosce.learn.tiny import TinyEngine
from nosce.tasks.bundled import draw_problems

Make = Callable[..., Recipe]
LOGP = [-0.5, -0.25, -1.0, -0.125, -2.0, -0.5]


@pytest.mark.parametrize("name", ["grpo", "rloo", "dr-grpo"])
def test_golden_advantages_within_one_group(name: str, recipe: Make, weak: TinyEngine) -> None:
    golden = recipe(name).golden
    assert advantages(recipe(name), [golden["rewards"]], weak)[0] == pytest.approx(golden["advantages"], abs=1e-4)


def test_reinforce_pp_divides_by_the_spread_of_the_whole_batch(recipe: Make, weak: TinyEngine) -> None:
    # centred: ±½, 0, 0; their spread over the batch is √(¼·½) = √⅛, and ½ / √⅛ = √2
    golden = recipe("reinforce++").golden
    found = advantages(recipe("reinforce++"), golden["rewards"], weak)
    assert found == [pytest.approx(row, abs=1e-3) for row in golden["advantages"]]
    assert found[0][0] == pytest.approx(math.sqrt(2), abs=1e-3)


def test_the_three_ways_to_average_differ_by_length_as_published(recipe: Make, weak: TinyEngine) -> None:
    """A right rollout of 2 tokens, a wrong one of 4; A = ±½ without, ±1/√2 with division by the spread √½."""
    made = {}
    for name, options in (("grpo", {}), ("dr-grpo", {"length": 10}), ("rloo", {}), ("dapo", {})):
        group, one = [rolled(1.0, 2), rolled(0.0, 4)], recipe(name, **options)
        one.credit([group], Context(weak, [PROBLEM], Settings()))
        made[name] = gradient(one, [r.turns[0] for r in group], [0, 1], LOGP)
    root = 0.5 / (0.5**0.5 + 1e-4)
    assert made["grpo"] == pytest.approx([-root / 4] * 2 + [root / 8] * 4)  # 1/|o| · 1/G
    assert made["dr-grpo"] == pytest.approx([-0.5 / 20] * 2 + [0.5 / 20] * 4)  # 1/(G · 10)
    assert made["rloo"] == pytest.approx([-0.5] * 2 + [0.5] * 4)  # advantage ±1, sum over tokens, mean over two
    assert made["dapo"] == pytest.approx([-root / 6] * 2 + [root / 6] * 4)  # one mean over six tokens


def test_dapo_drops_groups_by_outcome_and_penalises_length_softly(recipe: Make) -> None:
    dapo = recipe("dapo")
    assert dapo.admit([rolled(1.0), rolled(0.0)])
    assert not dapo.admit([rolled(1.0, outcome=1.0), rolled(0.2, outcome=1.0)])  # shaped rewards differ, outcomes do not
    golden = dapo.golden
    group = [rolled(1.0, tokens) for tokens in golden["lengths"]]
    assert list(dapo.reward(group, None)["overlong"]) == pytest.approx(golden["penalties"])


def test_dapo_lets_a_rare_token_rise_further_than_it_lets_one_fall(recipe: Make, weak: TinyEngine) -> None:
    """At a ratio of 1.25 a better-than-expected token still learns under 0.28 and no more under GRPO's 0.2."""
    found = {}
    for name in ("dapo", "grpo"):
        turn = rolled(1.0, 1).turns[0]
        turn.reinforce(1.0)
        turn.extra["old"] = np.array([-1.0], dtype=np.float32)
        found[name] = gradient(recipe(name), [turn], [0], [-1.0 + math.log(1.25)])[0]
    assert found["dapo"] == pytest.approx(-1.25)
    assert found["grpo"] == 0.0


def test_sft_teaches_every_token_of_the_gold_solution_and_its_end(recipe: Make, weak: TinyEngine) -> None:
    problem = draw_problems(["arithmetic"], [2], 1, part="train")[0]
    turn = example(problem, weak)
    assert weak.model.tokenizer.decode(turn.tokens).endswith("<end>")
    assert problem.check(turn.text.rpartition("<ans>")[2].strip()) == 1.0
    logp = [-0.5] * len(turn.tokens)
    assert gradient(recipe("sft"), [turn], [-1], logp) == pytest.approx([-1 / len(logp)] * len(logp))


def test_star_imitates_right_answers_once_and_wrong_ones_never(recipe: Make, weak: TinyEngine) -> None:
    group = [rolled(1.0, 2), rolled(1.0, 2), rolled(0.0, 3), rolled(1.0, 4)]
    recipe("rejection-sampling").credit([group], Context(weak, [PROBLEM], Settings()))
    assert [r.turns[0].learned for r in group] == [True, False, False, True]
    turns = [group[0].turns[0], group[3].turns[0]]
    assert gradient(recipe("rejection-sampling"), turns, [0, 3], LOGP) == pytest.approx([-1 / 6] * 6)


def test_dpo_is_the_logistic_loss_of_the_margin(recipe: Make, weak: TinyEngine) -> None:
    """Gradient: ∓ β σ(−β m) / pairs on each token of the right and the wrong answer, with the margin m against the reference."""
    group = [rolled(0.0, 2), rolled(1.0, 4)]
    dpo = recipe("dpo", beta=0.5)
    dpo.credit([group], Context(weak, [PROBLEM], Settings()))
    turns = [r.turns[0] for r in group]
    for turn, ref in zip(turns, ([-1.0, -1.0], [-0.5] * 4), strict=True):
        turn.extra["ref"] = np.array(ref, dtype=np.float32)
    margin = -(LOGP[0] + LOGP[1] + 2.0) + (sum(LOGP[2:]) + 2.0)
    pull = 0.5 / (1 + math.exp(0.5 * margin))
    assert gradient(dpo, turns, [0, 1], LOGP, most=1) == pytest.approx([pull] * 2 + [-pull] * 4)


def test_dpo_makes_no_pair_of_equals(recipe: Make, weak: TinyEngine) -> None:
    group = [rolled(1.0), rolled(1.0)]
    recipe("dpo").credit([group], Context(weak, [PROBLEM], Settings()))
    assert not any(r.turns[0].learned for r in group)


def test_rlcr_rewards_are_correctness_less_the_squared_gap(recipe: Make) -> None:
    rlcr, golden = recipe("rlcr"), recipe("rlcr").golden
    group = [Rollout(PROBLEM, [], confidence=c, outcome=y) for c, y in zip(golden["confidence"], golden["outcome"], strict=True)]
    settle(group, rlcr.reward(group, None), rlcr.weights)
    assert [r.reward for r in group] == pytest.approx(golden["rewards"])


def test_honesty_is_the_best_policy_under_rlcr_and_being_right_always_beats_being_wrong(recipe: Make) -> None:
    rlcr, stated = recipe("rlcr"), [(i + 0.5) / 10 for i in range(10)]

    def reward(confidence: float, outcome: float) -> float:
        group = [Rollout(PROBLEM, [], confidence=confidence, outcome=outcome)]
        settle(group, rlcr.reward(group, None), rlcr.weights)
        return group[0].reward

    for chance in (0.15, 0.45, 0.85):
        expected = [chance * reward(c, 1.0) + (1 - chance) * reward(c, 0.0) for c in stated]
        assert stated[int(np.argmax(expected))] == pytest.approx(chance)
    assert min(reward(c, 1.0) for c in stated) > max(reward(c, 0.0) for c in stated)


def test_all_baselines_are_there() -> None:
    names = {s.slug for s in registry if s.kind == "recipe" and s.baseline}
    assert {"sft", "rejection-sampling", "grpo", "dr-grpo", "dapo", "rloo", "reinforce++", "dpo", "rlcr"} <= names
