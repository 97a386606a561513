"""S315 SEC: the model writes the demonstrations itself, then answers after them."""

from __future__ import annotations

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence
from nosce.reflect.demonstrations import SHOTS, WRITE, after, own_demonstrations

CLAIM = Claim(
    statement="A thought after demonstrations of the model's own making is right more often than one without any.",
    endpoint="accuracy", baseline="think", fidelity="code",
)  # fmt: skip


@strategy("S315", "sec-contemplation", acts={"think", "propose"}, cues=(WRITE, SHOTS), claim=CLAIM)
async def self_contemplation(problem: Problem, mind: Mind, *, k: Count = 4) -> Answer:
    """Two calls: k questions like this one with worked answers, then this one after them.

    Rule: d₁…d_k ~ P(· | x, "write demonstrations"), each with its rationale; y ~ P(· | d₁…d_k, x), an ordinary k-shot prompt. What
    cannot be read is left out; without any it is a plain thought. Confidence is the thought's likelihood.
    Source: S315 "Are Human-generated Demonstrations Necessary for In-context Learning?". Left open and filled: the wording. The
    wording is the mechanism, and the bundled model neither writes questions nor reads examples: it refuses.
    """
    shown = await own_demonstrations(problem, mind, k)
    mind.decide("recall", "demonstrations of its own", written=len(shown))
    thought = (await mind.think(problem, cue=after(shown)))[0]
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
