"""S034 B-STaR: self-training that tunes its temperature and its threshold to stay between exploring and exploiting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import product

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout

TEMPERATURES = (0.5, 0.7, 0.9, 1.1)
THRESHOLDS = (0.5, 1.0, 1.5, 1.8)

CLAIM = Claim(
    statement="Self-training with tuned temperature and threshold ends higher than with fixed ones.",
    endpoint="accuracy", baseline="rejection-sampling", seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S034", "b-star", claim=CLAIM)
def b_star(*, every: int = 10, wanted: int = 4) -> Recipe:
    """Rejection sampling whose temperature and reward threshold maximise the balance score, found anew every `every` steps.

    Reward of a sample = outcome + its geometric mean token probability. With n the different samples at or above the threshold
    and c the right ones among them, the balance of a question is min(n/n*, 1) · c/n, in [0, 1]: enough different samples
    (exploring), and good ones (exploiting); n* is `wanted`. In a tuning step each question is drawn at one of four temperatures.
    Source: S034 "B-STaR: Monitoring and Balancing Exploration and Exploitation in Self-Taught Reasoners". Left open and filled: the
    process reward model is the model's own probability; tuning uses the step's own samples, not a set kept apart.
    """
    return Recipe(
        rollout=partial(varied, every=every), credit=selected, outer=partial(tune, every=every, wanted=wanted), watch=balanced,
        golden={"n": 2, "c": 1, "wanted": 4, "balance": 0.25},
    )  # fmt: skip


async def varied(problem: Problem, context: Context, k: int, *, every: int) -> Group:
    """k thoughts at the temperature in force, or, in a tuning step, at one that the question draws."""
    temperature = float(context.state.get("temperature", 1.0))
    if context.step % every == 0:
        temperature = TEMPERATURES[int(context.rng(problem.id).integers(len(TEMPERATURES)))]
    mind = context.mind(problem)
    attempts = await mind.think(problem, n=k, temperature=temperature, max_tokens=context.settings.max_tokens)
    return context.attempts(mind, attempts)


def worth(rollout: Rollout) -> float:
    """Outcome + geometric mean probability of the drawn tokens, in [0, 2]."""
    logprobs = [value for turn in rollout.turns for value in turn.logprobs]
    return (rollout.outcome or 0.0) + (math.exp(float(np.mean(logprobs))) if logprobs else 0.0)


def kept(group: Group, threshold: float) -> list[Rollout]:
    """Different rollouts at or above the threshold, in draw order."""
    different = {tuple(turn.tokens for turn in rollout.turns): rollout for rollout in reversed(group)}
    return [rollout for rollout in group if rollout in different.values() and worth(rollout) >= threshold]


def balance(group: Group, threshold: float, wanted: int) -> float:
    """min(n/n*, 1) · c/n of one question; 0 when nothing is kept."""
    chosen = kept(group, threshold)
    right = sum((rollout.outcome or 0.0) > 0.5 for rollout in chosen)
    return min(len(chosen) / wanted, 1.0) * right / len(chosen) if chosen else 0.0


def selected(groups: list[Group], context: Context) -> None:
    """Imitate what is kept at the threshold in force."""
    for group in groups:
        for rollout in kept(group, float(context.state.get("threshold", 1.0))):
            for turn in rollout.turns:
                turn.imitate()


def tune(groups: list[Group], context: Context, *, every: int, wanted: int) -> None:
    """After a tuning step, take the pair with the greatest mean balance over the questions drawn at that temperature."""
    if context.step % every or not groups:
        return
    by_heat: dict[float, list[Group]] = {}
    for group in groups:
        by_heat.setdefault(group[0].turns[0].temperature if group[0].turns else 1.0, []).append(group)
    scores = {(t, h): float(np.mean([balance(g, h, wanted) for g in by_heat[t]])) for t, h in product(by_heat, THRESHOLDS)}
    (context.state["temperature"], context.state["threshold"]), context.state["balance"] = max(scores.items(), key=lambda s: s[1])


def balanced(groups: list[Group], context: Context) -> Mapping[str, float]:
    """What is in force, for the log."""
    return {name: float(context.state[name]) for name in ("temperature", "threshold", "balance") if name in context.state}
