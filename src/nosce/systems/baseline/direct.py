"""Answer at once."""

from nosce.core.answer import Answer
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence


@strategy("direct", "direct", acts={"direct"})
async def direct(problem: Problem, mind: Mind) -> Answer:
    """One answer without thinking; its confidence is the length-normalised likelihood where there is one."""
    attempt = (await mind.direct(problem))[0]
    confidence = sequence_confidence(attempt)
    return mind.answer(attempt.answer, confidence, "logprobs")
