"""S069 Iterative deepening sampling: self-correction is set off by hand each time the budget of a thought has grown."""

from __future__ import annotations

import asyncio

from nosce.control.pieces import prolonged
from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.reflect.second_look import corrected

TRIGGER = "\n\nWait. Let me check what I have so far, find any mistake in it and put it right.\n"
CONCLUDE = "\nAnswer:"

CLAIM = Claim(
    statement="A vote over thoughts that are made to correct themselves beats a vote over as many tokens of plain thoughts.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True,
)  # fmt: skip


@strategy("S069", "iterative-deepening-sampling", needs={"continuation"}, claim=CLAIM,
          acts={"think", "extend", "choose|critique", "choose|revise"})  # fmt: skip
async def iterative_deepening(
    problem: Problem, mind: Mind, *, paths: Count = 4, depths: int = 2, first: int = 256, growth: float = 2.0
) -> Answer:  # fmt: skip
    """Each thought is written to a budget, told to correct itself, given a larger budget, and so on; then the thoughts vote.

    Rule: a thought is sampled to b₀ = `first` tokens; at depth i = 1…`depths` the trigger is appended, whether the thought had
    ended or not, and it goes on for b_i = b₀ · γ^i tokens more (γ `growth`). A thought still without an answer is made to
    conclude. The plurality of `paths` such thoughts is the answer, its share the confidence.
    Source: S069 "Iterative Deepening Sampling for Large Language Models". Left open and filled: the trigger's words, γ and b₀, and
    voting as the method around it. The bundled model has no words for the trigger: its thought is set to its own critique and
    revised from the step at fault, once a depth, until no fault is found; both acts were taught.
    """
    thoughts = await mind.think(problem, n=paths, max_tokens=first if "choose" in mind.dialect.acts else None)
    plurality(problem, mind, thoughts)
    for depth in range(1, depths + 1):
        deeper = await asyncio.gather(*(_deeper(problem, mind, t, round(first * growth**depth)) for t in thoughts))
        if all(a is b for a, b in zip(deeper, thoughts, strict=True)):
            mind.decide("stop", "no thought finds a fault in itself", depth=depth)
            break
        thoughts = deeper
        plurality(problem, mind, thoughts)
    if "choose" in mind.dialect.acts:
        thoughts = await asyncio.gather(*(_concluded(problem, mind, thought) for thought in thoughts))
    return plurality(problem, mind, thoughts)


async def _deeper(problem: Problem, mind: Mind, thought: Attempt, tokens: int) -> Attempt:
    """The thought after one more self-correction; the same one where it stands or has no room."""
    if "choose" in mind.dialect.acts:
        longer = await prolonged(problem, mind, thought, thought.text + TRIGGER, tokens)
    else:
        longer = await corrected(problem, mind, thought)
        longer = None if longer is None or longer.answer is None else longer
    return longer or thought


async def _concluded(problem: Problem, mind: Mind, thought: Attempt) -> Attempt:
    """The thought with an answer, if that can be had."""
    if thought.answer is not None:
        return thought
    return await prolonged(problem, mind, thought, thought.text + CONCLUDE, 16) or thought
