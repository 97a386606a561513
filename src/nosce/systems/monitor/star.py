"""S204 STaR, its inference: which of the trajectories to believe, by how sure they are and how many agree."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.core.vote import Bloc, tally
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="Selecting by confidence and consistency is right more often than a majority vote over as many samples.",
    endpoint="accuracy", baseline="self-consistency", baseline_options={"k": 8}, analogue_of="questions about tables",
)  # fmt: skip

AGREEMENT, MEAN, BEST = 0.25, 0.20, 0.55
"""What the size of a group, the mean and the best confidence in it count for."""


@strategy("S204", "star", part="select", needs={"logprobs"}, acts={"think"}, claim=CLAIM)
async def trajectory_selection(problem: Problem, mind: Mind, *, k: Count = 8) -> Answer:
    """The answer whose trajectories are sure and many: groups of equal answers are scored by their size and their confidence.

    Rule: S_a = 0.25·|G_a|/max|G| + 0.20·mean C_a/max mean C + 0.55·max C_a/max C over k trajectories; the most confident
    trajectory of the best group answers, S_a over the sum of all groups' scores is its confidence, in [0, 1]. Source: S204
    "STaR: Towards Cognitive Table Reasoning via Slow-Thinking Large Language Models". Left open and filled: C of a
    trajectory is the mean of exp(mean log p) and exp(−mean entropy), the first alone where the model gives no entropies. The
    paper trains the model too; here a model is taken as it is.
    """
    if k < 1:
        raise InputError(f"star: k={k}; expected at least 1 trajectory")
    attempts = await mind.think(problem, n=k)
    blocs = tally(problem, [attempt.answer for attempt in attempts])
    if not blocs:
        return mind.answer(None, reason="no trajectory gave an answer")
    sure = [confidence(attempt) for attempt in attempts]
    scores = group_scores(blocs, sure)
    chosen = int(np.argmax(scores))
    best = max(blocs[chosen].members, key=lambda i: sure[i])
    share = scores[chosen] / sum(scores)
    mind.decide("answer", "the surest and largest group", score=round(scores[chosen], 4), groups=len(blocs))
    return mind.answer(attempts[best].answer, share, "samples")


def confidence(attempt: Attempt) -> float:
    """How sure a trajectory was of its tokens, in [0, 1]."""
    likely = exp(min(0.0, attempt.mean_logprob or 0.0)) if attempt.logprobs else 0.0
    return (likely + exp(-float(np.mean(attempt.entropies)))) / 2 if attempt.entropies else likely


def group_scores(blocs: Sequence[Bloc], sure: Sequence[float]) -> list[float]:
    """The score of each group of equal answers, in [0, 1]."""
    means = [float(np.mean([sure[i] for i in bloc.members])) for bloc in blocs]
    bests = [max(sure[i] for i in bloc.members) for bloc in blocs]
    largest = max(len(bloc.members) for bloc in blocs)
    return [
        AGREEMENT * len(bloc.members) / largest + MEAN * mean / (max(means) or 1.0) + BEST * best / (max(bests) or 1.0)
        for bloc, mean, best in zip(blocs, means, bests, strict=True)
    ]
