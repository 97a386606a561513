"""S010 MASA: a model that foresees its own rollouts is rewarded for being right about them, and spends fewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from nosce.core.claim import Claim
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import standardised
from nosce.learn.grounds import TAUGHT
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout
from nosce.mind.dialects.base import Foresight, Given

CLAIM = Claim(
    statement="Trained to foresee its pass rate and length, and gated by what it foresees, the model reaches GRPO's final accuracy "
    "in at most 80% of its rollout tokens.",
    endpoint="tokens_to_reach", baseline="grpo", margin=0.2, seeds=(0, 1, 2, 3, 4), options=TAUGHT, taught=True, fidelity="code",
)  # fmt: skip
FORESEE = "foresee"


@recipe("S010", "masa", claim=CLAIM)
def masa(*, meta: int = 4, warm: float = 0.25, sure: float = 0.9, longer: float = 1.5, clip: float = 0.2) -> Recipe:
    """GRPO beside a second group per problem: `meta` predictions of the pass rate and the length of one's own thoughts.

    Reward of a prediction = (r_pass + r_len)/2: r_pass = 0.01^|p̂ − p| with p the group's pass rate; r_len = 1 when the length
    lies within those of the right thoughts, else 0 (None without right ones). Both groups are normalised apart. After the share
    `warm` of the steps the predictions act: a problem that is foreseen at ≥ `sure` or ≤ 1 − `sure` is not tried, and
    thoughts are cut at `longer` × the longest length foreseen.
    Source: S010 "Meta-Awareness Enhances Reasoning Models: Self-Alignment Reinforcement Learning". Left open and filled: notions
    are not predicted; the released code divides the mean right length by all rollouts, here by the right ones.
    """
    return Recipe(
        rollout=partial(foreseen, meta=meta, warm=warm, sure=sure, longer=longer), reward=aligned, credit=apart,
        loss=partial(streams, low=clip, high=clip, over="sequence"), teaches=frozenset({FORESEE}),
        acts=frozenset({"think", FORESEE}), watch=awareness,
        golden={"gap": [0.0, 0.5, 1.0], "r_pass": [1.0, 0.1, 0.01]},
    )  # fmt: skip


async def foreseen(
    problem: Problem, context: Context, k: int, *, meta: int, warm: float, sure: float, longer: float
) -> Group:  # fmt: skip
    """Predictions, then, unless they say that there is nothing to learn, k thoughts."""
    mind = context.mind(problem)
    said = await mind.attempts(FORESEE, problem, Given(), n=meta, temperature=1.0)
    read = [mind.dialect.read(FORESEE, attempt, problem, Given()) for attempt in said]
    predictions = context.attempts(mind, said)
    for rollout, seen in zip(predictions, read, strict=True):
        rollout.outcome = None
        rollout.signals = {"foreseen": seen.solve, "length": seen.length or 0.0} if isinstance(seen, Foresight) else {}
    stated = [r.signals["foreseen"] for r in predictions if r.signals]
    if context.step >= warm * context.steps and stated and not 1 - sure < float(np.mean(stated)) < sure:
        return []
    lengths = [r.signals["length"] for r in predictions if r.signals.get("length")]
    cut = int(longer * max(lengths)) if lengths and context.step >= warm * context.steps else context.settings.max_tokens
    try:
        thoughts = await mind.think(problem, n=k, max_tokens=cut)
    except BudgetExhausted:
        return []
    return [*context.attempts(mind, thoughts), *predictions]


def is_prediction(rollout: Rollout) -> bool:
    """Whether the rollout foresees rather than solves."""
    return rollout.turns[0].act == FORESEE if rollout.turns else False


def aligned(group: Group, context: Context) -> Mapping[str, Sequence[float | None]]:
    """The outcome of thoughts; of predictions, how well they match the thoughts."""
    thoughts = [rollout for rollout in group if not is_prediction(rollout)]
    rate = float(np.mean([rollout.outcome or 0.0 for rollout in thoughts])) if thoughts else 0.0
    right = [rollout.length for rollout in thoughts if (rollout.outcome or 0.0) > 0.5]
    return {
        "outcome": [None if is_prediction(r) else r.outcome for r in group],
        "meta": [_match(r, rate, right) if is_prediction(r) else None for r in group],
    }  # fmt: skip


def _match(rollout: Rollout, rate: float, right: Sequence[int]) -> float:
    """(r_pass + r_len)/2; 0 for a prediction that says nothing."""
    if "foreseen" not in rollout.signals:
        return 0.0
    passed: float = 0.01 ** abs(rollout.signals["foreseen"] - rate)
    return (passed + float(min(right) <= rollout.signals["length"] <= max(right))) / 2 if right else passed


def apart(groups: list[Group], context: Context) -> None:
    """GRPO among the thoughts and among the predictions, each with its own mean and spread."""
    for group in groups:
        for kind in (True, False):
            part = [rollout for rollout in group if is_prediction(rollout) == kind]
            gains = standardised(np.array([rollout.reward for rollout in part])) if part else ()
            for rollout, advantage in zip(part, gains, strict=True):
                rollout.reinforce(float(advantage))


def awareness(groups: list[Group], context: Context) -> Mapping[str, float]:
    """Correlation over problems of the foreseen and the actual pass rate; problems not tried are not counted."""
    pairs = []
    for group in groups:
        stated = [r.signals["foreseen"] for r in group if is_prediction(r) and "foreseen" in r.signals]
        tried = [r.outcome or 0.0 for r in group if not is_prediction(r)]
        if stated and tried:
            pairs.append((float(np.mean(stated)), float(np.mean(tried))))
    if len(pairs) < 3:
        return {}
    foreseen_, actual = np.array(pairs).T
    return {"awareness": float(np.corrcoef(foreseen_, actual)[0, 1])} if foreseen_.std() * actual.std() > 0 else {}
