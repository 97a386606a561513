"""Which memories agree with each other about a question, by the answers they lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.vote import tally
from nosce.memory.store import Item
from nosce.mind.mind import Mind


async def paths(problem: Problem, mind: Mind, items: Sequence[Item]) -> list[Attempt]:
    """One thought per memory, each with that memory alone in view; in the order of the memories."""
    work = (mind.think(problem, notes=[item.text]) for item in items)
    drawn = await asyncio.gather(*work, return_exceptions=True)  # all come to rest before one that failed is heard
    return [_first(attempts) for attempts in drawn]


def _first(drawn: list[Attempt] | BaseException) -> Attempt:
    if isinstance(drawn, BaseException):
        raise drawn
    return drawn[0]


def agreeing(problem: Problem, attempts: Sequence[Attempt], least: int = 2) -> list[int]:
    """Indices of the largest group of attempts with one answer; none when no group has `least` members."""
    blocs = tally(problem, [attempt.answer for attempt in attempts])
    return list(blocs[0].members) if blocs and len(blocs[0].members) >= least else []
