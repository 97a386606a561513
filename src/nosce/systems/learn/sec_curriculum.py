"""S183 SEC: the next problems come from where the model learns most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group

CLAIM = Claim(
    statement="Problems chosen by where advantages are large end higher than problems in random order, on all levels.",
    endpoint="accuracy", baseline="grpo", seeds=(0, 1, 2),
    options={"learn": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=1500&split=train",
             "test": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=240&split=test"},
)  # fmt: skip


@recipe("S183", "sec-curriculum", claim=CLAIM)
def sec_curriculum(*, rate: float = 0.5, temperature: float = 0.4) -> Recipe:
    """GRPO whose categories (family × level) are the arms of a bandit: what is learned there now decides what comes next.

    After each step Q(c) ← Q(c) + α(r_c − Q(c)) with r_c the mean absolute advantage of the rollouts of category c (largest where
    half are right) and α `rate`; categories are drawn by softmax(Q/τ), τ `temperature`, problems in one evenly.
    Source: S183 "Self-Evolving Curriculum for LLM Reasoning".
    """
    return Recipe(curriculum=partial(drawn, tau=temperature), outer=partial(learned, alpha=rate), watch=valued)


def category(problem: Problem) -> str:
    """The arm a problem belongs to."""
    return f"{problem.family}/{problem.level}"


def drawn(context: Context, n: int, *, tau: float) -> Sequence[Problem]:
    """n problems, a category each by the softmax of its value."""
    arms: dict[str, list[Problem]] = defaultdict(list)
    for problem in context.problems:
        arms[category(problem)].append(problem)
    names = sorted(arms)
    values = np.array([context.state.get("sec", {}).get(name, 0.0) for name in names])
    chances = np.exp((values - values.max()) / tau)
    rng = context.rng("sec")
    chosen = [names[int(i)] for i in rng.choice(len(names), size=n, p=chances / chances.sum())]
    return [arms[name][int(rng.integers(len(arms[name])))] for name in chosen]


def learned(groups: list[Group], context: Context, *, alpha: float) -> None:
    """TD(0): move the value of every category that was drawn towards its mean absolute advantage."""
    seen: dict[str, list[float]] = defaultdict(list)
    for rollout in (rollout for group in groups for rollout in group):
        seen[category(rollout.problem)] += [float(abs(turn.advantage[0])) for turn in rollout.turns[:1]]
    values = dict(context.state.get("sec", {}))
    for name, gains in seen.items():
        values[name] = values.get(name, 0.0) + alpha * (float(np.mean(gains)) - values.get(name, 0.0))
    context.state["sec"] = values


def valued(groups: list[Group], context: Context) -> Mapping[str, float]:
    """The values of the arms, for the log."""
    return {f"sec/{name}": value for name, value in context.state["sec"].items()}
