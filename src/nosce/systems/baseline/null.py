"""The null controller: spends what a partner spends, on problems chosen by chance."""

from collections.abc import Mapping

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind


@strategy("null", "null", acts={"think"})
async def null(problem: Problem, mind: Mind, *, tokens: Mapping[str, int] | None = None, k: Count = 4) -> Answer:
    """Votes until the tokens that a partner spent on another problem are used up; its confidence is the share of the votes.

    tokens: problem id → completion tokens allowed (a permutation of the partner's realised costs). Without them: k votes.
    A partner that adapts is worth its adaptation only as far as it beats this.
    """
    if tokens is None:
        return plurality(problem, mind, await mind.think(problem, n=k))
    allowed, attempts = tokens.get(problem.id, 0), await mind.think(problem)
    while mind.work.meter.spent.completion_tokens < allowed:
        plurality(problem, mind, attempts)
        attempts += await mind.think(problem)
    return plurality(problem, mind, attempts)
