"""S156 HILA: learn when to defer to an expert, and learn from what the expert says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import standardised
from nosce.learn.gold import example
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rewards import first_right
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.learn.rollouts import of
from nosce.learn.stating import rated
from nosce.mind.mind import Mind

GROUND: dict[str, Any] = {
    "start": "socrates", "learn": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=1500&split=train",
    "test": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=240&split=test",
}  # fmt: skip
"""Levels from trivial to beyond reach, so that there is something to hand on."""

CLAIM = Claim(
    statement="At every price of a deferral, right answers less that price are worth more than answering always, by the same "
    "weights or after GRPO, and more than deferring always.",
    endpoint="utility above answering deferring", baseline="grpo", seeds=(0, 1, 2, 3, 4), taught=True, fidelity="code",
    options=GROUND | {"tokens": 80_000, "sweep": {"price": (0.1, 0.2, 0.3, 0.5, 0.7)}, "beside": ("sft",)},
)  # fmt: skip


@recipe("S156", "hila", claim=CLAIM)
def hila(*, price: float = 0.3, effort: float = 0.03, demonstrate: float = 0.2, anchor: float = 0.02, clip: float = 0.2) -> Recipe:
    """Think, then keep the answer or DEFER: a stated confidence below one half hands the question to an expert.

    Inner loop: utility = right − `effort` of an answer that is kept, 1 − `price` of a deferral, which the expert answers rightly;
    GRPO on it for the words of the decision alone, GRPO on the answer's own outcome for the thought, KL to the start `anchor`.
    Outer loop: where a deferral was worth more than the mean answer kept, the expert's solution is imitated with weight
    `demonstrate`, so that less needs to be deferred later.
    Source: S156 "Adaptive Collaboration with Humans: Metacognitive Policy Optimization for Multi-Agent LLMs with Continual
    Learning". Left open and filled: one agent, which sees its own first answer as each agent does in the paper, so that to EVAL
    itself is to keep it, and peers fall away; the expert is the checker's own solution.
    """
    return Recipe(
        rollout=of(partial(decided, temperature=1.0)), reward=partial(costed, price=price, effort=effort),
        credit=partial(two_loops, kl=anchor), weights={"outcome": 0.0}, augment=partial(demonstrated, weight=demonstrate),
        loss=partial(streams, low=clip, high=clip, over="sequence"), needs=frozenset({"ref"} if anchor else ()),
        acts=frozenset({"think", "rate"}), teaches=frozenset({"rate"}), answer=partial(decided, temperature=0.0),
        columns={"utility": partial(utility, price=price), "deferred": deferred, "answering": first_right,
                 "deferring": partial(_always, price=price)},
        golden={"outcomes": [1.0, 0.0], "rewards": [0.97, -0.03, 0.7]},
    )  # fmt: skip


async def decided(problem: Problem, mind: Mind, *, temperature: float) -> Answer:
    """One thought, and what is said of it: an answer that is as likely wrong as right is handed on."""
    attempt, confidence = await rated(problem, mind, temperature=temperature)
    handed = confidence is not None and confidence < 0.5
    return mind.answer(attempt.answer, confidence, "none" if confidence is None else "verbal", abstain=handed)


def deferred(rollout: Rollout) -> float:
    """1 where the model handed the question on."""
    return float(rollout.confidence is not None and rollout.confidence < 0.5)


def utility(rollout: Rollout, *, price: float) -> float:
    """1 for a right answer, 1 − price for a deferral, else 0."""
    return 1 - price if deferred(rollout) else first_right(rollout)


def _always(rollout: Rollout, *, price: float) -> float:
    return 1 - price


def costed(group: Group, context: Context, *, price: float, effort: float) -> Mapping[str, Sequence[float | None]]:
    """Utility less the effort of an answer kept; and the outcome of the answer, kept or not."""
    return {
        "utility": [utility(r, price=price) - (0.0 if deferred(r) else effort) for r in group],
        "outcome": [first_right(r) for r in group],
    }  # fmt: skip


def two_loops(groups: list[Group], context: Context, *, kl: float) -> None:
    """The thought is credited with its outcome, the decision with its utility, each against the group."""
    for group in groups:
        for channel, place in (("outcome", slice(0, 1)), ("utility", slice(1, None))):
            gains = standardised(np.array([rollout.rewards[channel] or 0.0 for rollout in group]))
            for rollout, gain in zip(group, gains, strict=True):
                for turn in rollout.turns[place]:
                    turn.reinforce(float(gain), kl=kl)


def demonstrated(groups: list[Group], context: Context, *, weight: float) -> Sequence[Turn]:
    """The expert's solutions where deferring was worth more than the mean answer kept."""
    shown = []
    for group in groups:
        made = [rollout.reward for rollout in group if not deferred(rollout)]
        handed = [rollout.reward for rollout in group if deferred(rollout)]
        if made and handed and max(handed) > sum(made) / len(made):
            turn = example(group[0].problem, context.engine)
            turn.imitate(weight)
            shown.append(turn)
    return shown
