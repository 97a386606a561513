"""S307 SOFT-SC: choose by likelihood instead of by vote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind

Score = Literal["mean", "min", "product"]

CLAIM = Claim(
    statement="The likeliest of k samples is right at least as often as the majority of 2k, at half the samples.",
    endpoint="accuracy_at_cost", families=("countdown", "arithmetic"), options={"k": 8}, baseline_options={"k": 16},
    fidelity="code",
)  # fmt: skip

ADAPTIVE = Claim(
    statement="Stopping by the sum of the weakest token probabilities beats self-consistency at the tokens it spends.",
    endpoint="accuracy_at_cost", families=("countdown", "arithmetic"), fidelity="code",
)  # fmt: skip


@strategy("S307", "soft-sc", needs={"logprobs"}, claim=CLAIM)
async def soft_self_consistency(
    problem: Problem, mind: Mind, *, k: Count = 8, score: Score = "mean", act: Literal["think", "direct"] = "think"
) -> Answer:
    """The one of k samples whose tokens the model holds likeliest; no vote, ties to the first drawn.

    Rule: argmax_i s(y_i) with s the mean, the least or the (length-normalised) product of the token probabilities.
    The score is the confidence. Source: S307 "Soft Self-Consistency Improves Language Model Agents". Left open and
    filled: the source scores the span of an action; here the whole sample is scored, thought included, and with
    `act="direct"` the sample is the answer alone. The probabilities come with the samples: there is no second pass.
    """
    draw = mind.think if act == "think" else mind.direct
    return likeliest(problem, mind, await draw(problem, n=k), score)


@strategy("S307", "soft-sc", part="adaptive", needs={"logprobs"}, acts={"think"}, claim=ADAPTIVE)
async def adaptive_soft_self_consistency(
    problem: Problem, mind: Mind, *, enough: float = 0.8, most: Count = 16, score: Score = "mean"
) -> Answer:
    """Sample until the least token probabilities of the samples add up to `enough`, then take the likeliest.

    Rule: stop at the first n with Σ_{i≤n} min_t p(y_i,t) ≥ τ; then as `soft-sc`.
    Source: S307 "Soft Self-Consistency Improves Language Model Agents".
    """
    attempts: list[Attempt] = []
    gathered = 0.0
    while len(attempts) < most and gathered < enough:
        attempts += await mind.think(problem)
        gathered += value(attempts[-1], "min")
        likeliest(problem, mind, attempts, score)
    mind.decide("stop", "the weakest tokens add up", gathered=round(gathered, 4), samples=len(attempts))
    return likeliest(problem, mind, attempts, score)


def value(attempt: Attempt, score: Score) -> float:
    """s(y) in [0, 1], higher is likelier; 0 without tokens. `product` is the geometric mean.

    Raises InputError for another name.
    """
    logprobs: Sequence[float] = attempt.logprobs or ()
    if not logprobs:
        return 0.0
    if score == "mean":
        return min(1.0, sum(map(math.exp, logprobs)) / len(logprobs))
    if score == "min":
        return min(1.0, math.exp(min(logprobs)))
    if score == "product":
        return min(1.0, math.exp(sum(logprobs) / len(logprobs)))
    raise InputError(f"score {score!r}: expected mean, min or product")


def likeliest(problem: Problem, mind: Mind, attempts: Sequence[Attempt], score: Score) -> Answer:
    """The answer with the highest score among the attempts that have one."""
    scored = [(value(a, score), a.answer) for a in attempts if a.answer is not None]
    if not scored:
        return mind.answer(None, reason="no attempt gave an answer")
    best = max(scored, key=lambda pair: pair[0])
    return mind.answer(best[1], best[0], "logprobs")
