"""S168 HDPO (Metis): tool thrift learned among right answers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn import rollouts
from nosce.learn.context import Context
from nosce.learn.credit import standardised
from nosce.learn.grounds import TOOLS
from nosce.learn.losses import cross_entropy, policy_gradient
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group, Rollout, Turn

if TYPE_CHECKING:
    from nosce.learn.batch import Batch

CLAIM = Claim(
    statement="From the same cold start, two decoupled advantages save at least 80% of the needless calculator calls (on sums that "
    "the model does as well in its head) of GRPO on outcomes alone.",
    endpoint="saved needless", baseline="hdpo-metis", margin=0.8, seeds=(0, 1, 2, 3, 4), taught=True, fidelity="code",
    options=TOOLS | {"steps": 60, "tokens": 500_000, "beside": ("sft",)}, baseline_options={"weight": 0.0},
    analogue_of="tools of a multimodal agent (here: a calculator)",
)  # fmt: skip


@recipe("S168", "hdpo-metis", claim=CLAIM)
def hdpo(*, weight: float = 0.15, clip: float = 0.2, format_share: float = 0.1, cold: float = 0.25) -> Recipe:
    """L = L_acc + w · L_tool: GRPO on accuracy over the whole group, GRPO on thrift among its right rollouts only.

    r_acc = 0.9 · right + 0.1 · format; r_tool = 1/(T + 1) for T tool calls, compared where at least two rollouts are right (else
    0), L_tool averaged over the rollouts that have a signal. Thrift is never traded for a right answer. w = 0 is GRPO on r_acc.
    Before that, as a cold start, the share `cold` of the steps imitates the model's own right answers, half of them without a
    call: a model that always calls would have nothing to compare.
    Source: S168 "Act Wisely: Cultivating Meta-Cognitive Tool Use in Agentic Multimodal Models". The released code compares T = 0
    too, though its text says rollouts that used tools; so does this. Left open and filled: the data of the cold start.
    """
    return Recipe(
        rollout=partial(tried, cold=cold), reward=partial(channels, share=format_share), weights={"thrift": 0.0},
        credit=partial(two_channels, cold=cold), augment=partial(imitated, cold=cold),
        loss=partial(decoupled, weight=weight, clip=clip), columns={"calls": calls, "needless": needless},
        golden={"calls": [0, 1, 3], "r_tool": [1.0, 0.5, 0.25]},
    )  # fmt: skip


def cold_start(context: Context, cold: float) -> bool:
    """Whether the run is still in its first stage."""
    return context.step < cold * context.steps


async def tried(problem: Problem, context: Context, k: int, *, cold: float) -> Group:
    """k thoughts; in the cold start the first half of them without tools, as replies to the question with tools."""
    if not cold_start(context, cold):
        return await rollouts.think(problem, context, k)
    called = await rollouts.think(problem, context, k - k // 2)
    alone = await rollouts.think(replace(problem, tools=()), context, k // 2) if k > 1 else []
    for rollout in alone:
        rollout.problem = problem
        rollout.turns = [replace(turn, prompt=called[0].turns[0].prompt) for turn in rollout.turns[:1]]
    return [*alone, *called]


def imitated(groups: list[Group], context: Context, *, cold: float, n: int = 32, most: int = 512) -> Sequence[Turn]:
    """In the cold start, n right rollouts without a call and n with one, of the last `most` of each kind."""
    if not cold_start(context, cold):
        return ()
    kinds: list[list[Any]] = context.state.setdefault("examples", [[], []])
    for rollout in (r for group in groups for r in group if (r.outcome or 0.0) > 0.5):
        kinds[calls(rollout) > 0].append([[turn.prompt, turn.tokens] for turn in rollout.turns])
    rng, shown = context.rng("cold"), list[Turn]()
    for kind in kinds:
        del kind[:-most]
        for i in rng.integers(len(kind), size=n) if kind else ():
            shown += [Turn(tuple(prompt), tuple(tokens), sampled=False) for prompt, tokens in kind[int(i)]]
    for turn in shown:
        turn.imitate()
    return shown


def needless(rollout: Rollout) -> float | None:
    """Tool calls at problems of the lowest level, which the bundled model does as well in its head; None at all others."""
    return calls(rollout) if rollout.problem.level in (None, 1) else None


def calls(rollout: Rollout) -> float:
    """Tool calls of the rollout: after each the thought goes on in a turn of its own."""
    return float(sum(turn.act == "extend" for turn in rollout.turns))


def thrift(rollout: Rollout) -> float:
    """r_tool = 1/(T + 1)."""
    return 1.0 / (calls(rollout) + 1)


def channels(group: Group, context: Context, *, share: float) -> dict[str, list[float | None]]:
    """Accuracy with format, and the thrift of right rollouts."""
    right = [(rollout.outcome or 0.0) > 0.5 for rollout in group]
    accuracy: list[float | None] = [
        (1 - share) * good + share * (rollout.answer is not None) for good, rollout in zip(right, group, strict=True)
    ]
    return {"accuracy": accuracy, "thrift": [thrift(r) if good else None for good, r in zip(right, group, strict=True)]}


def two_channels(groups: list[Group], context: Context, *, cold: float) -> None:
    """The accuracy advantage in the streams; the thrift advantage and its weight beside them. None in the cold start."""
    for group in groups if not cold_start(context, cold) else ():
        gains = standardised(np.array([rollout.rewards["accuracy"] or 0.0 for rollout in group]))
        for rollout, gain in zip(group, gains, strict=True):
            rollout.reinforce(float(gain))
        right = [rollout for rollout in group if rollout.rewards["thrift"] is not None]
        saved = standardised(np.array([rollout.rewards["thrift"] or 0.0 for rollout in right])) if len(right) > 1 else ()
        for rollout, gain in zip(right, saved, strict=False):
            for turn in rollout.turns:
                turn.extra["thrift"] = np.full(len(turn.tokens), gain, dtype=np.float32)
                turn.extra["thrifty"] = np.full(len(turn.tokens), 1.0 / max(rollout.length, 1), dtype=np.float32)


def decoupled(logp: Any, batch: Batch, *, weight: float, clip: float) -> tuple[Any, dict[str, Any]]:
    """L_acc as in GRPO, w times the clipped surrogate of thrift, mean over tokens, then over rollouts, and imitation."""
    accuracy, parts = policy_gradient(logp, batch, low=clip, high=clip, over="sequence")
    total, parts = accuracy + cross_entropy(logp, batch), {**parts, "accuracy_loss": accuracy.detach()}
    if "thrift" not in batch.extra:
        return total, parts
    ratio, gain = (logp - batch.old).exp(), batch.extra["thrift"]
    kept = (ratio * gain).minimum(ratio.clamp(1 - clip, 1 + clip) * gain)
    saving = -(batch.extra["thrifty"] * kept).sum() / batch.counts.rollouts
    return total + weight * saving, {**parts, "tool_loss": saving.detach()}
