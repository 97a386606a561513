"""S146 Speculative thinking: a small model thinks, and a larger one writes the steps that reflect."""

from __future__ import annotations

import re

from nosce.control.pieces import prolonged
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence
from nosce.reflect.second_look import written

CUE = re.compile(r"\n\n(?=(?:wait|hmm|but|however|alternatively|let me (?:check|double-check|verify))\b)", re.I)
"""A structural delimiter with a word of reflection right after it: where the larger model takes over."""

CLAIM = Claim(
    statement="A small model whose reflective steps are written by a larger one is right more often than alone.",
    endpoint="accuracy", baseline="think", taught=True, fidelity="abstract",
    analogue_of="reflective paragraphs of a reasoning model (on the bundled model: the critique, and the step that it redoes)",
)  # fmt: skip


@strategy("S146", "speculative-thinking", needs={"roster", "continuation"}, acts={"think", "extend"}, claim=CLAIM)
async def speculative_thinking(
    problem: Problem, mind: Mind, *, takeovers: int = 3, length: int | None = None, piece: int = 256, most: int = 16
) -> Answer:  # fmt: skip
    """A small model (`main`) thinks; whenever it comes to reflect, the model of the role `large` writes that step.

    Rule: the small model's text is watched for a blank line followed by a word of reflection ("wait", "but", …); there it is cut,
    the larger model goes on for `length` tokens (128), and the small one goes on from that; `takeovers` times at most. A model that
    writes no such words reflects by the act critique: the larger one names the first wrong step and begins to write it anew
    (24 tokens), and the small one goes on from there. Confidence is the likelihood of the last piece.
    Source: S146 "Speculative Thinking: Enhancing Small-Model Reasoning with Large Model Guidance at Inference Time". Left open and
    filled: one length for every kind of reflection. `--model main=SMALL,large=LARGE`; of the bundled models the larger
    was taught to criticise and the smaller was not; there it writes most of the tokens, so that accuracy is gained, not cost.
    """
    large = mind.models["large"]
    by_words = "choose" in mind.dialect.acts
    thought = (await mind.think(problem, max_tokens=piece if by_words else None))[0]
    _note(mind, thought)
    if by_words:
        thought = await _by_words(problem, mind, large, thought, takeovers, length or 128, piece, most)
    elif "critique" in large.dialect.acts:
        thought = await _by_critique(problem, mind, large, thought, takeovers, length or 24)
    spent = {role: sum(a.cost.completion_tokens for a in mind.work.attempts if a.role == role) for role in (mind.role, "large")}
    mind.decide("stop", "the thought has ended", small=spent[mind.role], large=spent["large"])
    return _note(mind, thought)


async def _by_words(
    problem: Problem, mind: Mind, large: Mind, thought: Attempt, takeovers: int, length: int, piece: int, most: int
) -> Attempt:  # fmt: skip
    """Pieces in turn; what the larger model has written is not looked through again."""
    done = 0
    for _ in range(most):
        cue = CUE.search(thought.text, done) if takeovers else None
        if cue is None and thought.finish != "length":
            break
        writer, text = (mind, thought.text) if cue is None else (large, thought.text[: cue.end()])
        longer = await prolonged(problem, writer, thought, text, piece if cue is None else length)
        if longer is None:
            break
        if cue is not None:
            takeovers, done = takeovers - 1, len(longer.text)
            mind.decide("defer", "the larger model writes the reflective step", at=cue.end())
        thought = longer
        _note(mind, thought)
    return thought


async def _by_critique(problem: Problem, mind: Mind, large: Mind, thought: Attempt, takeovers: int, length: int) -> Attempt:
    """The larger model finds the first wrong step and begins to write it; the smaller one goes on from there."""
    for _ in range(takeovers):
        found = await large.critique(problem, thought)
        if not found.fault:
            break
        steps = mind.dialect.steps(thought.text)
        kept = steps if found.step is None else steps[: found.step - 1]
        mind.decide("defer", "the larger model writes the step at fault", step=found.step)
        longer = await prolonged(problem, large, thought, written(mind, kept), length)
        if longer is not None and longer.finish == "length":
            longer = await prolonged(problem, mind, longer, longer.text)
        if longer is None or longer.answer is None:
            break
        thought = longer
        _note(mind, thought)
    return thought


def _note(mind: Mind, thought: Attempt) -> Answer:
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
