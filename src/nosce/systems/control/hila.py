"""S156 HILA: learn when to defer to an expert, and learn from what the expert says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import centred, per_group
from nosce.learn.gold import example
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout, Turn
from nosce.mind.engine import UNKNOWN
from nosce.mind.mind import Mind

DEFER = {"socrates": "<ans> <unknown>", "chat": "Answer: unknown"}
WIDE = {"learn": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=1500&split=train",
        "test": "family:arithmetic,lists,countdown,logic?level=1,2,3,4,5&n=240&split=test"}  # fmt: skip

CLAIM = Claim(
    statement="Right answers less the price of deferrals are worth more than after GRPO, which never defers, at a price of 0.3.",
    endpoint="utility", baseline="grpo", seeds=(0, 1, 2), options=WIDE, fidelity="code",
)  # fmt: skip


@recipe("S156", "hila", claim=CLAIM)
def hila(*, price: float = 0.3, effort: float = 0.03, demonstrate: float = 0.2, anchor: float = 0.02) -> Recipe:
    """Each group holds thoughts (CREATE) and one deferral (DEFER, the answer "unknown"), scored with their costs.

    R = correct − `effort` for a thought, 1 − `price` for a deferral, which the expert answers rightly. A = R − group mean, no
    clip, KL to the start `anchor`. Outer loop: where deferring was worth more than the mean thought, the expert's solution is
    imitated with weight `demonstrate`, so that less needs to be deferred later.
    Source: S156 "Adaptive Collaboration with Humans: Metacognitive Policy Optimization for Multi-Agent LLMs with Continual
    Learning". Left open and filled: one agent, so endorsing a peer (EVAL) falls away; the deferral is a given candidate of every
    group, as in the released code; the expert is the checker's own solution.
    """
    return Recipe(
        rollout=with_deferral, reward=partial(costed, price=price, effort=effort), credit=per_group(centred, kl=anchor),
        augment=partial(demonstrated, weight=demonstrate), needs=frozenset({"ref"}), answer=deferring,
        loss=partial(streams, low=float("inf"), high=float("inf"), over="token"),
        columns={"utility": partial(utility, price=price), "deferred": deferred},
        golden={"outcomes": [1.0, 0.0], "rewards": [0.97, -0.03, 0.7]},
    )  # fmt: skip


async def with_deferral(problem: Problem, context: Context, k: int) -> Group:
    """k − 1 thoughts and one deferral in the same words that the model would defer in."""
    mind = context.mind(problem)
    group = context.attempts(mind, await mind.think(problem, n=max(k - 1, 1), max_tokens=context.settings.max_tokens))
    words = DEFER["chat" if mind.dialect.name == "chat" else "socrates"]
    if group[0].turns:
        turn = Turn(group[0].turns[0].prompt, tuple(context.engine.write(words)), text=words, answer=UNKNOWN)
        group.append(Rollout(problem, [turn], UNKNOWN, outcome=0.0, index=len(group)))
    return group


def deferred(rollout: Rollout) -> float:
    """1 where the model handed the question on."""
    return float(bool(rollout.turns) and rollout.turns[-1].answer == UNKNOWN)


def utility(rollout: Rollout, *, price: float) -> float:
    """1 for a right answer, 1 − price for a deferral, else 0."""
    return 1 - price if deferred(rollout) else rollout.outcome or 0.0


def costed(group: Group, context: Context, *, price: float, effort: float) -> Mapping[str, Sequence[float | None]]:
    """Correct less the cost of the action."""
    return {"utility": [1 - price if deferred(r) else (r.outcome or 0.0) - effort for r in group]}


def demonstrated(groups: list[Group], context: Context, *, weight: float) -> Sequence[Turn]:
    """The expert's solutions where deferring was worth more than the mean thought."""
    shown = []
    for group in groups:
        made = [rollout.reward for rollout in group if not deferred(rollout)]
        handed = [rollout.reward for rollout in group if deferred(rollout)]
        if made and handed and max(handed) > sum(made) / len(made):
            turn = example(group[0].problem, context.engine)
            turn.imitate(weight)
            shown.append(turn)
    return shown


async def deferring(problem: Problem, mind: Mind) -> Answer:
    """One thought; an answer of "unknown" hands the question on."""
    attempt = (await mind.think(problem))[0]
    return mind.answer(attempt.answer, abstain=attempt.answer == UNKNOWN)
