"""An answer from votes."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.vote import tally
from nosce.mind.mind import Mind


def plurality(
    problem: Problem, mind: Mind, attempts: Sequence[Attempt], weights: Sequence[float] | None = None, reason: str = ""
) -> Answer:
    """The heaviest bloc of answers; confidence is its weight over the weight of all attempts, those without an answer
    included. An abstention when no attempt has an answer."""
    blocs = tally(problem, [attempt.answer for attempt in attempts], weights)
    if not blocs:
        return mind.answer(None, reason=reason or "no attempt gave an answer")
    total = float(len(attempts)) if weights is None else float(sum(weights))
    share = min(1.0, blocs[0].weight / total) if total > 0 else 1 / len(blocs)
    return mind.answer(blocs[0].value, share, "samples", reason=reason)


def counts(problem: Problem, attempts: Sequence[Attempt]) -> list[int]:
    """Votes of each different answer, most first."""
    return [len(bloc.members) for bloc in tally(problem, [attempt.answer for attempt in attempts])]
