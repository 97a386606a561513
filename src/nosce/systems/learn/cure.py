"""S217 CURE: branch where the model is least sure of the next token, then train as usual."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="Branching at critical tokens keeps more entropy than DAPO over the same rollout tokens.",
    endpoint="entropy", baseline="dapo", seeds=(0, 1, 2), fidelity="code",
)  # fmt: skip


@recipe("S217", "cure", claim=CLAIM)
def cure(*, branches: int = 3, critical: int = 20, first: float = 0.6, low: float = 0.2, high: float = 0.28) -> Recipe:
    """Branch thoughts at their most uncertain tokens at first, then train on plain thoughts, as DAPO does.

    Stage I (the share `first` of the steps): a quarter of the group are thoughts; each is cut at one of its `critical` tokens of
    highest entropy, drawn evenly, and written on `branches` times from there; all are one group. Stage II: plain thoughts.
    Credit and loss are DAPO's (clip 0.2/0.28, mean over tokens). A branch's tokens up to the cut are trained with it.
    Source: S217 "CURE: Critical-Token-Guided Re-Concatenation for Entropy-Collapse Prevention".
    """
    return Recipe(
        rollout=partial(branching, branches=branches, critical=critical, first=first), credit=per_group(standardised),
        loss=partial(streams, low=low, high=high, over="token"), columns={"entropy": entropy},
    )  # fmt: skip


def entropy(rollout: Rollout) -> float | None:
    """Mean entropy of the drawn tokens in nats; None where the sampler gives none."""
    values = [value for turn in rollout.turns for value in turn.entropies]
    return float(np.mean(values)) if values else None


async def branching(problem: Problem, context: Context, k: int, *, branches: int, critical: int, first: float) -> Group:
    """Stage I: thoughts and their branches, k in all where all can be branched; stage II: k thoughts."""
    opening = context.step < first * context.steps
    mind = context.mind(problem)
    thoughts = await mind.think(problem, n=max(1, k // (1 + branches)) if opening else k, max_tokens=context.settings.max_tokens)
    group = context.attempts(mind, thoughts)
    if opening:
        for number, rollout in enumerate(tuple(group)):
            rng = context.rng(f"cut {problem.id} {number}")
            at = cut(rollout.turns[0], critical, rng) if rollout.turns else None
            if at is not None:
                group += await _written_on(problem, mind, context, rollout.turns[0], at, branches)
    return [replace(rollout, index=i) for i, rollout in enumerate(group)]


def cut(turn: Turn, critical: int, rng: np.random.Generator) -> int | None:
    """One of the positions of highest entropy, the very first left out; None where there is none."""
    order = np.argsort(-np.array(turn.entropies), kind="stable")
    places = [int(i) for i in order if i > 0][:critical]
    return places[int(rng.integers(len(places)))] if places else None


async def _written_on(problem: Problem, mind: Mind, context: Context, turn: Turn, at: int, n: int) -> list[Rollout]:
    """n branches from the first `at` tokens; none where their text would be read as other tokens."""
    prefix = context.engine.read(turn.tokens[:at])
    prompt = mind.dialect.render("extend", problem, Given(prefix=prefix)).prompt
    if tuple(context.engine.encode(prompt)) != (*turn.prompt, *turn.tokens[:at]):
        return []
    made = context.attempts(mind, await mind.extend(problem, prefix, n=n))
    return [replace(rollout, turns=[_joined(turn, at, rollout.turns[0])]) for rollout in made if rollout.turns]


def _joined(turn: Turn, at: int, rest: Turn) -> Turn:
    """The first `at` tokens of a turn and what was written from there, as one turn."""
    return Turn(
        turn.prompt, turn.tokens[:at] + rest.tokens, True, turn.temperature, (), turn.logprobs[:at] + rest.logprobs,
        turn.entropies[:at] + rest.entropies, turn.role, "think", turn.text, rest.answer, rest.finish, rest.node, turn.node,
    )  # fmt: skip
