"""S119 Self-PRM: a model ranks its own solutions by its own verdict on their steps, and what that verdict is worth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.battery import Measure, Row, share
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery, strategy
from nosce.core.signal import Signal
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.checked import checked

EASY, HARD = 2, 5
"""Up to this level a question is called easy, and from this level on hard."""

RERANK = Claim(
    statement="The solution that the model's own verdict ranks first is right more often than a vote of the same cost.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True,
)  # fmt: skip
PRECISION = Claim(
    statement="What the model accepts of its own solutions is right less often on hard questions than on easy ones.",
    endpoint="drop", baseline="as precise on hard questions as on easy ones", n=300, seeds=(0, 1), taught=True,
)  # fmt: skip


@strategy("S119", "self-prm", acts={"think", "verify"}, claim=RERANK)
async def self_prm(problem: Problem, mind: Mind, *, n: Count = 16) -> Answer:
    """Of n own solutions the one whose steps the model itself holds most surely to be right.

    Rule: y₁…y_n ~ P(·|x); r_i = P(the model says that y_i is correct), its own verdict after going through the steps; the answer is
    that of argmax r_i, ties to the first drawn. Confidence is that r, in [0, 1]. Solutions that are the same word for word are
    judged once. Without any verdict the vote decides.
    Source: S119 "Is PRM Necessary? Problem-Solving RL Implicitly Induces PRM Capability in LLMs". Left open and filled: the verdict
    is the act verify. The bundled model was taught to go through the steps again before its verdict.
    """
    attempts = [attempt for attempt in await mind.think(problem, n=n) if attempt.answer is not None]
    vote = plurality(problem, mind, attempts)
    distinct: dict[str, Attempt] = {}
    for attempt in attempts:
        distinct.setdefault(attempt.text, attempt)
    scored = [pair for pair in await verdicts(problem, mind, list(distinct.values())) if pair[1].value is not None]
    if not scored:
        return vote
    best, signal = max(scored, key=lambda pair: pair[1].value or 0.0)
    return mind.answer(best.answer, signal.value, signal.source, signals=(signal,))


async def verdicts(problem: Problem, mind: Mind, attempts: Sequence[Attempt]) -> list[tuple[Attempt, Signal]]:
    """Every attempt with the model's verdict on it."""
    signals = await asyncio.gather(*(mind.verify(problem, attempt) for attempt in attempts))
    return list(zip(attempts, signals, strict=True))


def precision(right: Floats, accepted: Floats) -> float:
    """Σ right · accepted / Σ accepted."""
    if not accepted.any():
        raise InputError("none of its solutions is accepted there")
    return float(right[accepted > 0.5].mean())


def on_easy(right: Floats, accepted: Floats, level: Floats) -> float:
    """Precision on easy questions."""
    return precision(right[level <= EASY], accepted[level <= EASY])


def on_hard(right: Floats, accepted: Floats, level: Floats) -> float:
    """Precision on hard questions."""
    return precision(right[level >= HARD], accepted[level >= HARD])


def drop(right: Floats, accepted: Floats, level: Floats) -> float:
    """Precision on easy questions minus precision on hard ones."""
    return on_easy(right, accepted, level) - on_hard(right, accepted, level)


def lift_on_hard(right: Floats, accepted: Floats, level: Floats) -> float:
    """Precision on hard questions minus the share of solutions to them that are right: 0 for a verdict by chance."""
    return on_hard(right, accepted, level) - float(right[level >= HARD].mean())


COLUMNS = ("right", "accepted", "tier")
MEASURES = (
    Measure("easy", "what it accepts is right, easy questions", "monitors", COLUMNS, on_easy),
    Measure("hard", "what it accepts is right, hard questions", "monitors", COLUMNS, on_hard),
    Measure("drop", "its acceptance is worth less on hard questions", "monitors", COLUMNS, drop, "nearer", 0.0,
            "as precise on hard questions as on easy ones", "points"),
    Measure("lift", "accepting beats chance on hard questions", "monitors", COLUMNS, lift_on_hard, "higher", 0.0,
            "accepting by chance", "points", front=True),
    Measure("accepted", "accepts its own solution", "monitors", ("accepted",), share),
)  # fmt: skip


@battery("S119", "self-prm", part="precision", items=checked, measures=MEASURES, claim=PRECISION, acts={"think", "verify"})
async def acceptance(problem: Problem, mind: Mind, *, samples: int = 4) -> list[Row]:
    """How often is a solution right that the model accepts as its own judge, on easy and on hard questions?

    Rule: `samples` solutions to each question, accepted where the model's own verdict is at least one half; precision = share
    right of the accepted, in [0, 1], at levels up to 2 (easy) and from 5 on (hard). Source: S119 "Is PRM Necessary?
    Problem-Solving RL Implicitly Induces PRM Capability in LLMs". Left open and filled: levels as made, in place of a benchmark's.
    """
    attempts = await mind.think(problem, n=samples)
    return [
        {"answer": attempt.answer, "right": problem.check(attempt.answer) >= 0.5, "tier": problem.level,
         "verdict": signal.value, "accepted": None if signal.value is None else signal.value >= 0.5}
        for attempt, signal in await verdicts(problem, mind, attempts)
    ]  # fmt: skip
