"""S254 SPP: one model plays the people whom the question calls for, and they settle it among themselves."""

from __future__ import annotations

from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.cue import Cue
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

ACT_OUT = (
    "Write a meeting about this. First name those who take part: an assistant who leads it, and the experts whom this very "
    "question calls for. Then each expert gives advice. The assistant drafts a solution, every expert checks it from where they "
    "stand, and the assistant revises it until all of them approve."
)
PANEL = Cue("solo-performance", 1, {"chat": "{question}\n\n" + ACT_OUT})
FIXED = Cue("solo-performance-fixed", 1, {"chat": "{question}\n\n" + ACT_OUT.replace(
    "and the experts whom this very question calls for", "and one expert")})  # fmt: skip

CLAIM = Claim(
    statement="An answer from personas chosen for the question is right more often than one from a fixed single expert.",
    endpoint="accuracy", baseline="spp", baseline_options={"chosen": False}, fidelity="code",
)  # fmt: skip


@strategy("S254", "spp", acts={"think"}, cues=(PANEL, FIXED), claim=CLAIM)
async def solo_performance_prompting(problem: Problem, mind: Mind, *, chosen: bool = True) -> Answer:
    """One call in which the model names personas fit for the question, lets them advise, draft, check and revise, and answers.

    Rule: x ∥ "name the participants → advice → draft → feedback, revised until all approve"; the answer is the meeting's last.
    `chosen=False` has one expert, the same for every question. Confidence is the text's likelihood.
    Source: S254 "Unleashing Cognitive Synergy in Large Language Models: A Task-Solving Agent through Multi-Persona
    Self-Collaboration". Left open and filled: the wording is ours and has no worked examples; answers are checked ones, in place
    of stories and word games. The wording is the mechanism: a model that is not asked in words refuses.
    """
    thought = (await mind.think(problem, cue=PANEL if chosen else FIXED, max_tokens=1536))[0]
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
