"""S266 IoE: keep the answer if you are confident in it, else work it out again."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

KEEP_OR_UPDATE = Cue(
    "if-or-else", 1,
    {"chat": "{question}\n\nYour earlier solution stands below. If you are confident in its answer, keep that answer; "
             "or else, work it out again and update it."},
)  # fmt: skip
DECIDE = Cue(
    "if-or-else-decide", 1,
    {"chat": "{question}\n\nYour two solutions below end in different answers. Weigh them, and give the answer that you "
             "are more confident in."},
)  # fmt: skip

CLAIM = Claim(
    statement="The answer after the confidence-gated second look is right at least as often as the first answer.",
    endpoint="accuracy", baseline="think", fidelity="code",
)  # fmt: skip


@strategy("S266", "if-or-else", acts={"think"}, cues=(KEEP_OR_UPDATE, DECIDE), claim=CLAIM)
async def if_or_else(problem: Problem, mind: Mind) -> Answer:
    """Asked to keep its answer if confident or else to update it; where the two differ, asked for the better one.

    Rule: a₁ from a thought; a₂ under the If-or-Else wording, which never says that anything is wrong; if a₂ = a₁ that is
    the answer, else a₃ from a third turn that shows both (a₂ where a₃ cannot be read). Two or three calls. Confidence is the
    share of the turns that end in the answer given.
    Source: S266 "Confidence Matters: Revisiting Intrinsic Self-Correction Capabilities of Large Language Models". Left open and
    filled: the wording is ours; the turns are separate prompts that show the earlier ones, not one growing chat; temperature
    is the run's (the source: 0). The wording is the mechanism: a model that is not asked in words refuses.
    """
    first = (await mind.think(problem))[0]
    _so_far(problem, mind, [first])
    second = (await mind.attempts("think", problem, Given(attempt=first, cue=KEEP_OR_UPDATE)))[0]
    kept = first.answer is not None and second.answer is not None and problem.same(first.answer, second.answer)
    mind.decide("stop" if kept else "sample", "keeps its answer" if kept else "updates its answer")
    turns = [first, second]
    if not kept:
        _so_far(problem, mind, turns)
        turns += await mind.attempts("think", problem, Given(attempts=(first, second), cue=DECIDE))
    return _so_far(problem, mind, turns)


def _so_far(problem: Problem, mind: Mind, turns: Sequence[Attempt]) -> Answer:
    """The latest answer that can be read, with the share of the turns that agree with it."""
    said = [turn.answer for turn in turns if turn.answer is not None]
    if not said:
        return mind.answer(None)
    return mind.answer(said[-1], sum(problem.same(said[-1], other) for other in said) / len(turns), "samples")
