"""S087 SCoRe: reinforcement over two attempts, so that the second mends the first."""

from __future__ import annotations

from functools import partial

import numpy as np

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.context import Context
from nosce.learn.credit import centred
from nosce.learn.grounds import TAUGHT
from nosce.learn.losses import streams
from nosce.learn.recipe import Credit, Recipe
from nosce.learn.rewards import first_right
from nosce.learn.rollout import Group, Rollout
from nosce.learn.rollouts import of
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="After training, second attempts are right more often than first ones by more than they were when trained by GRPO.",
    endpoint="mended", baseline="grpo", seeds=(0, 1, 2), options=TAUGHT, taught=True, fidelity="code",
)  # fmt: skip


@recipe("S087", "score", claim=CLAIM)
def score(*, alpha: float = 10.0, first: float = 0.3, anchor: float = 0.1, later_anchor: float = 0.01, clip: float = 0.2) -> Recipe:
    """Two stages over (attempt, revision) with outcomes r1, r2, each attempt credited alone.

    Stage I (the first share `first` of the steps): only r2 is rewarded, and the first attempt is held to the start by KL
    (β2 `anchor`), so that the two come apart. Stage II: the first attempt earns r1, the second r2 + α(r2 − r1), which makes mending
    worth more than being right at once (α `alpha`, β1 `later_anchor`). A = reward − mean of the group, for each attempt.
    Source: S087 "Training Language Models to Self-Correct via Reinforcement Learning".
    """
    return Recipe(
        rollout=of(twice), credit=staged(alpha, first, anchor, later_anchor),
        loss=partial(streams, low=clip, high=clip, over="token"),
        needs=frozenset({"ref"}), teaches=frozenset({"revise"}), acts=frozenset({"think", "revise"}), answer=twice,
        columns={"first": first_right, "mended": mended},
        golden={"r1": [1.0, 0.0], "r2": [1.0, 1.0], "second": [1.0, 11.0]},
    )  # fmt: skip


async def twice(problem: Problem, mind: Mind) -> Answer:
    """Think, then answer once more in the light of the first attempt."""
    attempt = (await mind.think(problem))[0]
    mind.answer(attempt.answer)
    return mind.answer((await mind.revise(problem, attempt))[0].answer)


def mended(rollout: Rollout) -> float:
    """The second attempt's outcome less the first's."""
    return (rollout.outcome or 0.0) - first_right(rollout)


def staged(alpha: float, first: float, anchor: float, later: float) -> Credit:
    """The credit of both stages."""

    def credit(groups: list[Group], context: Context) -> None:
        opening = context.step < first * context.steps
        for group in groups:
            r1, r2 = (np.array([f(r) for r in group]) for f in (first_right, lambda r: r.outcome or 0.0))
            one = np.zeros(len(group)) if opening else centred(r1)
            two = centred(r2 if opening else r2 + alpha * (r2 - r1))
            for rollout, a, b in zip(group, one, two, strict=True):
                for turn in rollout.turns:
                    revision = turn.act == "revise"
                    turn.reinforce(float(b if revision else a), kl=later if revision or not opening else anchor)

    return credit
