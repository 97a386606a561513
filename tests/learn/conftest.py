"""What tests of training share."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.learn.batch import Counts, pieces, shares
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.learn.tiny import TinyEngine, laid_flat

PROBLEM = Problem("p", "1+1", reference="2")


@pytest.fixture(scope="session")
def weak() -> TinyEngine:
    """The shipped weak checkpoint; tests that update it make their own."""
    return TinyEngine("socrates-weak")


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """A registered recipe with parameters."""
    return lambda name, **options: registry.find(name, "recipe").run(**options)


def rolled(reward: float, tokens: int = 3, outcome: float | None = None) -> Rollout:
    """A rollout of one turn."""
    turn = Turn((5, 30), tuple(range(40, 40 + tokens)))
    return Rollout(PROBLEM, [turn], outcome=reward if outcome is None else outcome, rewards={"outcome": reward})


def advantages(recipe: Recipe, rewards: Sequence[Sequence[float]], engine: Any) -> list[list[float]]:
    """What a recipe's credit gives each rollout, from the rewards of each group."""
    groups: list[Group] = [[rolled(r) for r in group] for group in rewards]
    recipe.credit(groups, Context(engine, [PROBLEM], Settings()))
    return [[float(r.turns[0].advantage[0]) for r in group] for group in groups]


def gradient(recipe: Recipe, turns: Sequence[Turn], owner: Sequence[int], logp: Sequence[float], most: int = 10**6) -> list[float]:
    """dL/dlogp of every token in the order of the turns, computed in pieces of `most` tokens; old = logp."""
    counts, share, found = Counts.of(turns, owner), shares(turns, owner), [0.0] * len(logp)
    starts = [sum(len(t.tokens) for t in turns[:i]) for i in range(len(turns))]
    for chosen in pieces(turns, most):
        here = [turns[i] for i in chosen]
        places = [starts[i] + j for i in chosen for j in range(len(turns[i].tokens))]
        leaf = torch.tensor([logp[k] for k in places], requires_grad=True)
        batch = laid_flat(here, [share[i] for i in chosen], counts)
        batch.old = leaf.detach() if batch.old is None else batch.old
        value, _ = recipe.loss(leaf, batch)
        value.backward()
        for place, number in zip(places, leaf.grad.tolist(), strict=True):
            found[place] = number
    return found
