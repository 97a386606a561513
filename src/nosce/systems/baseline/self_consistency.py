"""Vote over independent thoughts."""

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind


@strategy("self-consistency", "self-consistency", acts={"think"})
async def self_consistency(problem: Problem, mind: Mind, *, k: Count = 16) -> Answer:
    """The commonest answer of k thoughts, ties to the first drawn; its confidence is its share of the votes."""
    return plurality(problem, mind, await mind.think(problem, n=k))
