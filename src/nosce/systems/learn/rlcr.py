"""RLCR: reinforcement with calibration rewards."""

from __future__ import annotations

from functools import partial

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import recipe
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe
from nosce.learn.rewards import brier, each, outcome
from nosce.learn.rollouts import of
from nosce.learn.stating import rated
from nosce.mind.mind import Mind

CLAIM = Claim(
    statement="Rewarded for stating its chance of being right, a model that was never taught to state one has an expected "
    "calibration error at least 0.2 below the same model's after GRPO.",
    endpoint="ece", baseline="grpo", margin=0.2, fidelity="paper", seeds=(0, 1, 2, 3, 4),
)  # fmt: skip


@recipe("rlcr", "rlcr", family="learn", claim=CLAIM)
def rlcr(*, clip: float = 0.2, weight: float = 1.0) -> Recipe:
    """Think, answer, state a confidence c; reward y − (c − y)² for the outcome y.

    The Brier term is a proper scoring rule: the expected reward is largest where c is the chance of being right, and being right
    is worth more than being wrong at any stated confidence. Both the thought and the statement are trained; the statement is
    drawn at temperature 1, and the model need not have been taught to make one.
    """
    return Recipe(
        rollout=of(stated), reward=each(outcome=outcome, brier=brier), weights={"brier": weight}, credit=per_group(standardised),
        loss=partial(streams, low=clip, high=clip, over="sequence"), teaches=frozenset({"rate"}), acts=frozenset({"think", "rate"}),
        answer=likeliest,
        golden={"confidence": [0.95, 0.95, 0.05], "outcome": [1.0, 0.0, 0.0], "rewards": [0.9975, -0.9025, -0.0025]},
    )  # fmt: skip


async def stated(problem: Problem, mind: Mind) -> Answer:
    """One thought, and a confidence as it is drawn."""
    return await _rated(problem, mind, temperature=1.0)


async def likeliest(problem: Problem, mind: Mind) -> Answer:
    """One thought, and the confidence that the model is most likely to state."""
    return await _rated(problem, mind, temperature=0.0)


async def _rated(problem: Problem, mind: Mind, *, temperature: float) -> Answer:
    attempt, confidence = await rated(problem, mind, temperature=temperature)
    return mind.answer(attempt.answer, confidence, "none" if confidence is None else "verbal")
