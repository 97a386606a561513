"""S225 Episodic memory for tiny models: be like what once succeeded, and not like everything that was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout
from nosce.monitor.similarity import Floats, hashed_ngrams

CLAIM = Claim(
    statement="An intrinsic reward from an episodic memory reaches GRPO's final accuracy in fewer rollout tokens.",
    endpoint="tokens_to_reach", baseline="grpo", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("S225", "episodic-memory-rl-for-tiny-llms", claim=CLAIM)
def episodic_memory(
    *, exploit: float = 0.2, explore: float = 0.1, neighbours: int = 8, size: int = 512, clip: float = 0.2
) -> Recipe:  # fmt: skip
    """GRPO with outcome + `exploit` · s + `explore` · n, both from the memory's entries for the nearest questions.

    The memory keeps (question, thought, right or not) of the last `size` rollouts; a rollout looks at the k nearest questions
    (`neighbours`), by cosine of hashed n-grams. s = greatest similarity of its thought to their right thoughts (0 without any);
    n = 1 − greatest similarity to all of them. Both in [0, 1].
    Source: S225 "Reasoning Under 1 Billion: Memory-Augmented Reinforcement Learning for Large Language Models". Left open and
    filled: the embedding, one memory with marks in place of two, equal weight of all neighbours.
    """
    return Recipe(
        reward=partial(intrinsic, k=neighbours), weights={"exploit": exploit, "explore": explore}, credit=per_group(standardised),
        outer=partial(remember, size=size), loss=partial(streams, low=clip, high=clip, over="sequence"),
    )  # fmt: skip


def said(rollout: Rollout) -> str:
    """Everything that was written."""
    return " ".join(turn.text for turn in rollout.turns)


def intrinsic(group: Group, context: Context, *, k: int) -> Mapping[str, Sequence[float | None]]:
    """The outcome, closeness to remembered successes, and novelty."""
    memory: list[list[object]] = context.state.get("memory", [])
    outcomes: Sequence[float | None] = [rollout.outcome for rollout in group]
    if not memory:
        return {"outcome": outcomes, "exploit": [0.0] * len(group), "explore": [1.0] * len(group)}
    questions = hashed_ngrams([group[0].problem.text, *(str(entry[0]) for entry in memory)])
    near = np.argsort(-(questions[1:] @ questions[0]), kind="stable")[:k]
    thoughts = hashed_ngrams([*(str(memory[i][1]) for i in near), *(said(rollout) for rollout in group)])
    alike: Floats = thoughts[len(near) :] @ thoughts[: len(near)].T
    right = np.array([bool(memory[i][2]) for i in near])
    close = alike[:, right].max(axis=1) if right.any() else np.zeros(len(group))
    return {"outcome": outcomes, "exploit": close.tolist(), "explore": np.clip(1 - alike.max(axis=1), 0, 1).tolist()}


def remember(groups: list[Group], context: Context, *, size: int) -> None:
    """Add one right and one wrong thought of every group; the oldest are forgotten."""
    memory = list(context.state.get("memory", []))
    for group in groups:
        for wanted in (True, False):
            found = next((r for r in group if ((r.outcome or 0.0) > 0.5) == wanted), None)
            if found is not None:
                memory.append([found.problem.text, said(found), wanted])
    context.state["memory"] = memory[-size:]
