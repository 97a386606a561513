"""Recipes that see no labels: Intuitor, RLSC, self-consistency."""

import math

import numpy as np
import pytest
from tests.learn.conftest import PROBLEM, advantages, gradient, rolled

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rewards import settle
from nosce.learn.rollout import Rollout, Turn
from nosce.learn.tiny import TinyEngine
from nosce.learn.watch import alarms


def test_self_certainty_is_the_divergence_from_uniform_and_zero_for_a_uniform_model(weak: TinyEngine) -> None:
    turn = Turn(tuple(weak.model.tokenizer.encode("<q> 12+7 <think>")), tuple(weak.model.tokenizer.encode("<s1> 12+7=19")))
    found = weak.score([turn], ["self_certainty"])["self_certainty"][0]
    logits = weak.forward([turn])[0].detach().numpy().astype(float)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert found == pytest.approx(-logp.mean(axis=1) - math.log(logits.shape[1]), abs=1e-4)


def test_intuitor_rewards_the_mean_over_drawn_tokens_without_labels() -> None:
    recipe = registry.find("intuitor", "recipe").run()
    sure, unsure = rolled(0.0, 2), rolled(1.0, 4)
    for rollout, values in ((sure, [3.0, 5.0]), (unsure, [1.0, 1.0, 2.0, 2.0])):
        rollout.turns[0].extra["self_certainty"] = np.array(values, dtype=np.float32)
        rollout.signals.update(recipe.signals(rollout, None))
    settle([sure, unsure], recipe.reward([sure, unsure], None), recipe.weights)
    assert [sure.rewards["self_certainty"], unsure.rewards["self_certainty"]] == [4.0, 1.5]
    assert not sure.turns[0].extra
    assert not recipe.labels


def test_without_its_reward_intuitor_is_grpo(weak: TinyEngine) -> None:
    rewards = [[1.0, 0.0, 0.0, 0.0]]
    mine, grpo = registry.find("intuitor", "recipe").run(kl=0.0), registry.find("grpo", "recipe").run()
    assert advantages(mine, rewards, weak) == advantages(grpo, rewards, weak)


def test_rlsc_weighs_each_sample_by_its_own_probability() -> None:
    recipe, group = registry.find("rlsc", "recipe").run(alpha=0.1), [rolled(0.0, 1), rolled(1.0, 1)]
    group[0].turns[0].logprobs, group[1].turns[0].logprobs = (math.log(0.8),), (math.log(0.2),)
    recipe.credit([group], None)
    turns = [r.turns[0] for r in group]
    assert gradient(recipe, turns, [0, 1], [-0.5, -0.5]) == pytest.approx([-0.9 / 2, -0.3 / 2])


def test_the_majority_is_the_reward_whatever_is_right(weak: TinyEngine) -> None:
    recipe = registry.find("S377").run()
    group = [Rollout(PROBLEM, [], answer=answer) for answer in recipe.golden["answers"]]
    settle(group, recipe.reward(group, None), recipe.weights)
    assert [r.reward for r in group] == recipe.golden["rewards"]
    assert advantages(recipe, [[1.0, 0.0, 1.0]], weak)[0] == pytest.approx([0.5, -1.0, 0.5])


def test_votes_that_are_all_one_are_said_aloud(weak: TinyEngine) -> None:
    recipe, context = registry.find("S377").run(), Context(weak, [PROBLEM], Settings())
    one = [[rolled(1.0), rolled(1.0)]]
    assert max(v for k, v in recipe.watch(one, context).items() if k.startswith("warn_")) == 1.0
    assert max(v for k, v in recipe.watch([[rolled(1.0), rolled(0.0)]], context).items() if k.startswith("warn_")) == 0.0


def test_a_vote_that_rises_while_fewer_are_right_is_called_hacking() -> None:
    rows = [{"reward": 0.5 + 0.02 * i, "pass_rate": 0.6 - 0.01 * i, "same": 0.2, "ended": 1.0, "entropy": 0.5} for i in range(20)]
    assert any("reward hacking" in said for said in alarms(rows))
