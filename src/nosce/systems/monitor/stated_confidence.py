"""What the model says of its own confidence: in a number or in words, after the answer or along with it."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator, strategy
from nosce.core.signal import Signal
from nosce.mind.cue import Cue
from nosce.mind.dialects.chat_reading import labelled, percent
from nosce.mind.mind import Mind

WORDS = (
    ("Almost certain.", 0.93), ("Probable.", 0.75), ("Chances are about even.", 0.50), ("Probably not.", 0.30),
    ("Almost certainly not.", 0.07),
)  # fmt: skip
"""Kent's words of estimative probability, with the numbers that he gave them."""

ALONG = Cue(
    "confidence-along", 1,
    {"chat": "{question}\n\nAfter the answer, add one last line that says how likely your answer is correct, in the form\n"
     "Confidence: <0 to 100>%"},
)  # fmt: skip


@estimator("stated-confidence", "stated-confidence", family="monitor", acts={"rate"})
async def stated_confidence(problem: Problem, attempts: Sequence[Attempt], mind: Mind, *, checks: int = 1) -> Signal:
    """The number that the model gives when it is shown its answer and asked how likely that is correct (two steps).

    In [0, 1], higher is surer; the mean over `checks` statements. lm-polygraph's Verbalized2S.
    """
    return await mind.rate(problem, _first(attempts), n=checks)


@estimator("stated-confidence", "stated-confidence", part="words", family="monitor", acts={"judge"})
async def stated_in_words(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """The words that the model picks when it is shown its answer and asked how sure it is (two steps).

    Rule: one of five of Kent's words of estimative probability, which stand for 0.93, 0.75, 0.50, 0.30 and 0.07. In [0, 1],
    higher is surer; no value when it picks none.
    """
    attempt = _first(attempts)
    asked = f"{problem.text}\nProposed answer: {attempt.answer}\nHow sure are you that the proposed answer is correct?"
    picked = await mind.judge(Problem(problem.id, asked, context=problem.context), [said for said, _ in WORDS])
    value = None if picked is None else WORDS[picked][1]
    return mind.measure(Signal("stated_in_words", value, "none" if value is None else "verbal"), attempt.id)


@strategy("stated-confidence", "stated-confidence", part="one-step", family="monitor", acts={"think"}, cues=(ALONG,))
async def stated_along(problem: Problem, mind: Mind) -> Answer:
    """One thought that ends with the answer and, on a line of its own, how likely it is correct (one step).

    In [0, 1], higher is surer; no confidence when none is stated. lm-polygraph's Verbalized1S.
    """
    thought = (await mind.think(problem, cue=ALONG))[0]
    said = labelled(thought.text, "confidence")
    value = None if said is None else percent(said, "confidence")
    signal = mind.measure(Signal("stated_along", value, "none" if value is None else "verbal"), thought.id)
    return mind.answer(thought.answer, value, signal.source, signals=(signal,))


def _first(attempts: Sequence[Attempt]) -> Attempt:
    if not attempts:
        raise InputError("stated confidence is about an attempt; give at least one")
    return attempts[0]
