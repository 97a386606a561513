"""S075 HEART: after a wrong answer, feedback that carries an emotion, another one each time."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.attempt import Attempt
from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.core.vote import tally
from nosce.mind.cue import Cue
from nosce.mind.mind import Mind
from nosce.tasks.checked import checked

EMOTIONS = {
    "sadness": "It saddens me to see this: the answer is not right, and I had put such hope in you.",
    "happiness": "I am so glad that you are working on this with me! That was not it yet, and I know you will get there.",
    "anger": "I am angry. This is wrong, and it was careless. Do it properly.",
    "surprise": "Oh! I did not expect that from you at all. That cannot be right, can it?",
    "fear": "I am afraid of what happens if this answer is used as it is. It is wrong, and very much hangs on it.",
    "disgust": "This solution turns my stomach. It is wrong, and I do not want to look at it again.",
}
"""The six universal emotions, one phrase each, dark and light in turn as far as they go."""
NEUTRAL = "The answer is not right. Try again."
TELLINGS = {name: Cue(f"heart-{name}", 1, {"chat": "{question}\n\n" + phrase}) for name, phrase in EMOTIONS.items()}
PLAIN = Cue("heart-neutral", 1, {"chat": "{question}\n\n" + NEUTRAL})

CLAIM = Claim(
    statement="With an oracle that stops, retries under feedback with emotion are right more often than as many told neutrally.",
    endpoint="lead", baseline="neutral feedback, as many retries", n=300, seeds=(0, 1),
)  # fmt: skip

MEASURES = (
    Measure("first", "right at first", "knows", ("first",), share),
    Measure("lead", "feedback with emotion, stopped by an oracle", "mends", ("heart", "neutral"), difference, "higher", 0.0,
            "neutral feedback, as many retries", "points"),
    Measure("free_lead", "the same without an oracle: the vote over all tries", "mends", ("heart_free", "neutral_free"), difference,
            "higher", 0.0, "neutral feedback, as many retries", "points"),
    Measure("rounds_saved", "retries that emotion saves", "mends", ("neutral_tries", "heart_tries"), difference, "higher", 0.0,
            "neutral feedback", "number"),
)  # fmt: skip


@battery("S075", "heart", items=checked, measures=MEASURES, claim=CLAIM, acts={"think", "revise"}, cues=(*TELLINGS.values(), PLAIN))
async def heart(problem: Problem, mind: Mind) -> Row:
    """Does feedback that carries an emotion, another one each time, mend more than neutral feedback as often?

    Rule: y₀; while the answer is wrong, feedback under one of six emotions in turn, and a new solution, six times at most; beside
    it the same from the same y₀ with one neutral phrase. With an oracle: right at any try. Without: both arms make all six
    tries whatever their answers, and the vote over y₀ and the tries answers. lead = right(emotion) − right(neutral), in [−1, 1].
    Source: S075 "HEART: Emotionally-driven test-time scaling of Language Models". Left open and filled: the phrases are ours;
    without an oracle the tries vote. The wording is the mechanism: a model without words refuses.
    """
    first = (await mind.think(problem))[0]
    right = problem.check(first.answer) >= 0.5
    row: Row = {"answer": first.answer, "first": right}
    for arm, cues in (("heart", list(TELLINGS.values())), ("neutral", [PLAIN] * len(TELLINGS))):
        tries = await _tries(problem, mind, first, cues)
        good = [problem.check(attempt.answer) >= 0.5 for attempt in tries]
        vote = tally(problem, [attempt.answer for attempt in tries])
        row |= {
            arm: any(good), f"{arm}_free": bool(vote) and problem.check(vote[0].value) >= 0.5,
            f"{arm}_tries": good.index(True) if any(good) else len(cues),
        }  # fmt: skip
    return row


async def _tries(problem: Problem, mind: Mind, first: Attempt, cues: Sequence[Cue]) -> list[Attempt]:
    """The first attempt and one after each feedback, every one shown the one before."""
    tries = [first]
    for cue in cues:
        tries += await mind.revise(problem, tries[-1], cue=cue)
    return tries
