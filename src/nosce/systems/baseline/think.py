"""Think once, then answer."""

from nosce.core.answer import Answer
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence


@strategy("think", "think", acts={"think"})
async def think(problem: Problem, mind: Mind) -> Answer:
    """One written thought; its confidence is the length-normalised likelihood where there is one."""
    attempt = (await mind.think(problem))[0]
    return mind.answer(attempt.answer, sequence_confidence(attempt), "logprobs")
