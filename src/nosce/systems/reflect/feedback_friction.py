"""S080 Feedback friction: mistakes that outlive near-perfect feedback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nosce.core.attempt import Attempt
from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.mind import Mind
from nosce.reflect.true_critique import true_critique
from nosce.tasks.bundled import draw_problems

FAMILIES = ("arithmetic", "lists", "logic", "sums")
DRAWS = 5
WARMER = 0.15

CLAIM = Claim(
    statement="After four rounds of feedback by one who holds the solution, more than a tenth of the first mistakes still stand.",
    endpoint="friction", baseline="all feedback taken in", margin=0.1, n=240, seeds=(0, 1), taught=True, fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Problems of the middle and hard levels; without the calculator, which would settle them."""
    problems = draw_problems(families=FAMILIES, levels=(3, 4, 5, 6), n=n, seed=seed)
    return [Item(replace(problem, tools=())) for problem in problems]


MEASURES = (
    Measure("friction", "mistakes that outlive true feedback", "mends", ("stands",), share, "lower", 0.0, "all feedback taken in"),
    Measure("first_round", "mistakes that outlive one round", "mends", ("stands_once",), share, "lower"),
    Measure("mitigation", "mended besides, warmer and refusing repeats", "mends", ("stands", "stands_warmer"), difference, "higher",
            0.0, "plain retries", "points"),
    Measure("accuracy", "right at the first try", "knows", ("right",), share),
)  # fmt: skip


@battery("S080", "feedback-friction", items=items, measures=MEASURES, claim=CLAIM, acts={"think", "revise"})
async def friction(problem: Problem, mind: Mind, *, rounds: int = 4) -> Row:
    """How many mistakes stand after rounds of feedback from one who holds the solution?

    Rule: a first thought; while the answer is wrong, the solver is told the first wrong step and what should stand there, and
    revises, `rounds` times at most. Friction = share of first mistakes still wrong, in [0, 1]; with all feedback taken in it
    would be 0. Once more from the same mistake with the published remedies together: temperature raised by 0.15 a round, and
    among 5 revisions the first is taken whose answer was not tried before.
    Source: S080 "Feedback Friction: LLMs Struggle to Fully Incorporate External Feedback". Left open and filled: feedback by the
    families' checker in place of a strong model; the bundled model is told the place of the fault alone (its marks say no more).
    """
    first = (await mind.think(problem))[0]
    if problem.check(first.answer) >= 0.5:
        return {"right": True, "answer": first.answer, "stands": None, "stands_once": None, "stands_warmer": None}
    plain = [await _retry(problem, mind, first, [first.answer], 0.7, 1)]
    while len(plain) < rounds and not _right(problem, plain[-1]):
        plain.append(await _retry(problem, mind, plain[-1], [], 0.7, 1))
    warm, tried = first, [first.answer]
    for i in range(rounds):
        warm = await _retry(problem, mind, warm, tried, 0.7 + WARMER * i, DRAWS)
        tried.append(warm.answer)
        if _right(problem, warm):
            break
    return {
        "right": False, "answer": first.answer, "stands_once": not _right(problem, plain[0]),
        "stands": not _right(problem, plain[-1]), "stands_warmer": not _right(problem, warm), "tried": tried,
    }  # fmt: skip


async def _retry(
    problem: Problem, mind: Mind, attempt: Attempt, tried: Sequence[str | None], temperature: float, n: int
) -> Attempt:  # fmt: skip
    """A revision after the truth about the attempt; of several, the first whose answer was not tried."""
    told = true_critique(problem, mind, attempt)
    made = await mind.revise(problem, attempt, told, n=n, temperature=temperature)
    return next((a for a in made if a.answer not in tried), made[0])


def _right(problem: Problem, attempt: Attempt) -> bool:
    return problem.check(attempt.answer) >= 0.5
