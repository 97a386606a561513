"""Branches from critical tokens."""

import asyncio
from collections import Counter

import numpy as np
from tests.learn.conftest import PROBLEM

from nosce.core.registry import registry
from nosce.learn.context import Context
from nosce.learn.recipe import Settings
from nosce.learn.rollout import Turn
from nosce.learn.tiny import TinyEngine
from nosce.systems.learn.cure import cut
from nosce.tasks.bundled import draw_problems


def test_a_cut_is_one_of_the_most_uncertain_tokens_and_never_the_first() -> None:
    turn = Turn((1,), tuple(range(6)), entropies=(9.0, 0.1, 2.0, 0.2, 1.0, 0.3))
    drawn = Counter(cut(turn, 2, np.random.default_rng(i)) for i in range(200))
    assert set(drawn) == {2, 4}
    assert min(drawn.values()) > 60
    assert cut(Turn((1,), (2,), entropies=(1.0,)), 2, np.random.default_rng(0)) is None


def test_branches_share_the_tokens_up_to_the_cut_and_their_log_probabilities(weak: TinyEngine) -> None:
    recipe = registry.find("cure", "recipe").run(branches=3)
    problem = draw_problems(["arithmetic"], [3], 1, part="train")[0]
    group = asyncio.run(recipe.rollout(problem, Context(weak, [problem], Settings(), steps=10), 8))
    assert len(group) == 8
    thoughts, branches = group[:2], group[2:]
    for i, branch in enumerate(branches):
        own = thoughts[i // 3].turns[0]
        turn = branch.turns[0]
        assert turn.prompt == own.prompt
        assert turn.tokens[0] == own.tokens[0]
        assert len(turn.tokens) == len(turn.logprobs) == len(turn.entropies)
    turns = [r.turns[0] for r in branches]
    for turn, scored in zip(turns, weak.score(turns, ["old"])["old"], strict=True):
        assert np.abs(scored - np.array(turn.logprobs)).max() < 5e-3


def test_in_the_second_stage_there_are_plain_thoughts(weak: TinyEngine) -> None:
    recipe, problem = registry.find("cure", "recipe").run(), draw_problems(["arithmetic"], [2], 1, part="train")[0]
    group = asyncio.run(recipe.rollout(problem, Context(weak, [problem], Settings(), step=9, steps=10), 8))
    assert [len(r.turns) for r in group] == [1] * 8
    assert PROBLEM.id not in {r.problem.id for r in group}
