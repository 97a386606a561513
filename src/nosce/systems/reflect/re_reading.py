"""S193 RE2: the question is read twice before it is thought about."""

from __future__ import annotations

from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.cue import Cue
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

TWICE = Cue("re-reading", 1, {"chat": "{question}\n\nNow read the question a second time, with care.\n{question}"})

CLAIM = Claim(
    statement="A thought after the question was read twice is right more often than the same thought after one reading.",
    endpoint="accuracy", baseline="think", fidelity="code",
)  # fmt: skip


@strategy("S193", "re-reading", acts={"think"}, cues=(TWICE,), claim=CLAIM)
async def re_reading(problem: Problem, mind: Mind, *, k: Count = 1) -> Answer:
    """The question, a word to read it again, the question once more, then a thought as ever.

    Rule: x → x ∥ "read again" ∥ x before the elicitation; the input doubles and nothing else changes. It goes with other
    ways of asking: `k` > 1 votes over k such thoughts, confidence their share; with one it is the thought's likelihood.
    The wording is the mechanism, so a model whose dialect has no words for it refuses: the bundled model never saw a
    question twice in a row. Source: S193 "Re-Reading Improves Reasoning in Language Models". Left open: the temperature
    (it stays the run's, for system and baseline alike).
    """
    thoughts = await mind.think(problem, n=k, cue=TWICE)
    if k > 1:
        return plurality(problem, mind, thoughts)
    return mind.answer(thoughts[0].answer, sequence_confidence(thoughts[0]), "logprobs")
