"""Stop voting at the first window that agrees with itself."""

from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind


@strategy("early-stopping-self-consistency", "early-stopping-self-consistency", acts={"think"})
async def early_stopping_self_consistency(problem: Problem, mind: Mind, *, most: Count = 16, window: Count = 4) -> Answer:
    """Votes in windows; stop after the first window whose answers are all the same, or at `most` votes."""
    attempts: list[Attempt] = []
    while len(attempts) < most:
        drawn = await mind.think(problem, n=min(window, most - len(attempts)))
        attempts += drawn
        plurality(problem, mind, attempts)
        if counts(problem, drawn) == [len(drawn)]:
            mind.decide("stop", "a whole window agrees", votes=len(attempts))
            break
    return plurality(problem, mind, attempts)
