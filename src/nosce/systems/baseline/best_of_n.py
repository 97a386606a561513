"""Take the likeliest of several thoughts."""

from nosce.core.answer import Answer
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence


@strategy("best-of-n", "best-of-n", needs={"logprobs"}, acts={"think"})
async def best_of_n(problem: Problem, mind: Mind, *, n: Count = 16) -> Answer:
    """Of n thoughts the one with the highest sequence log-probability per token; ties to the first drawn."""
    attempts = [a for a in await mind.think(problem, n=n) if a.answer is not None and a.mean_logprob is not None]
    if not attempts:
        return mind.answer(None, reason="no thought gave an answer")
    best = max(attempts, key=lambda a: a.mean_logprob or 0.0)
    return mind.answer(best.answer, sequence_confidence(best), "logprobs")
