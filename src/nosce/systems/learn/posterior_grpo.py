"""S236 Posterior-GRPO: a reward for the process, only where the outcome is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rollout import Group
from nosce.learn.steps import standing

GATED = Claim(
    statement="A reward for the process that is given to right outcomes alone ends higher than outcome rewards.",
    endpoint="accuracy", baseline="grpo", seeds=(0, 1, 2),
)  # fmt: skip
UNGATED = Claim(
    statement="The same reward given to all outcomes ends lower than given to right ones alone.",
    endpoint="-accuracy", baseline="posterior-grpo", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("S236", "posterior-grpo", claim=GATED)
def posterior_grpo(*, clip: float = 0.2, weight: float = 1.0) -> Recipe:
    """GRPO with R = R_format + R_outcome + R_outcome · R_process: reasoning is rewarded only behind a right answer.

    R_format = 1 for a thought that ends in an answer; R_process in [0, 1] is the share of written steps before the first wrong one,
    redone by the family's checker. So a process reward cannot be hacked by fine words before a wrong answer.
    Source: S236 "Posterior-GRPO: Rewarding Reasoning Processes in Code Generation". Left open and filled: the trained judge of
    reasoning is replaced by the checker of steps; arithmetic in place of code.
    """
    return _recipe(clip, weight, gated=True)


@recipe("S236", "posterior-grpo", part="ungated", claim=UNGATED)
def ungated(*, clip: float = 0.2, weight: float = 1.0) -> Recipe:
    """The control of Posterior-GRPO: R = R_format + R_outcome + R_process, whatever the outcome.

    Source: S236 "Posterior-GRPO: Rewarding Reasoning Processes in Code Generation".
    """
    return _recipe(clip, weight, gated=False)


def _recipe(clip: float, weight: float, gated: bool) -> Recipe:
    return Recipe(
        reward=partial(posterior, gated=gated), weights={"process": weight}, credit=per_group(standardised),
        loss=partial(streams, low=clip, high=clip, over="sequence"),
        golden={"outcome": [1.0, 1.0, 0.0], "process": [1.0, 0.5, 1.0], "rewards": [3.0, 2.5, 1.0 + (not gated)]},
    )  # fmt: skip


def posterior(group: Group, context: Context, *, gated: bool) -> Mapping[str, Sequence[float | None]]:
    """Format, outcome and process; the process is worth nothing behind a wrong outcome when `gated`."""
    right = [rollout.outcome or 0.0 for rollout in group]
    process = [standing(rollout, context.engine.model) or 0.0 for rollout in group]
    return {
        "format": [float(rollout.answer is not None) for rollout in group], "outcome": right,
        "process": [p * (r if gated else 1.0) for p, r in zip(process, right, strict=True)],
    }  # fmt: skip
