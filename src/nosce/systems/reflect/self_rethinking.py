"""S118 Self-rethinking: has a mistake been made again that was made before?"""

from __future__ import annotations

from collections.abc import Sequence

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.claim import Claim
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.memory.store import Item, Store
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

NAME_IT = Cue(
    "name-the-mistake", 1,
    {"chat": "{question}\n\nThe proposed solution is wrong. Say in one line what type of mistake was made and for what reason."},
)  # fmt: skip
RETHINK = "Mistakes that were made on similar questions before:\n{mistakes}\nHas a mistake like one of these been made here?"

CLAIM = Claim(
    statement="Thoughts rethought in view of earlier mistakes are right more often than thoughts as they come.",
    endpoint="accuracy", baseline="think",
)  # fmt: skip


async def mistakes(problems: Sequence[Problem], mind: Mind, *, practice: int = 64) -> Artifact:
    """What went wrong on labelled questions: wrong thoughts, each with the right answer's word on its type and reason."""
    found = await each(_mistake(problem, mind) for problem in problems[:practice])
    store = Store()
    store.add(*(item for item in found if item is not None))
    return Artifact("coterrorset", "mistakes", {"items": store.to_data()})


async def _mistake(problem: Problem, mind: Mind) -> Item | None:
    try:
        thought = (await mind.think(problem))[0]
        if problem.check(thought.answer) >= 0.5:
            return None
        told = f"The right answer is {problem.reference}."
        made = await mind.attempts("lessons", problem, Given(attempt=thought, instruction=told, cue=NAME_IT))
    except BudgetExhausted:
        return None
    return Item(problem.text, made[0].text.strip().partition("\n")[0], problem.id, "mistake")


@strategy("S118", "coterrorset", acts={"think", "lessons", "critique", "revise"}, cues=(NAME_IT,), prepare=mistakes,
          prepares="labelled", claim=CLAIM)  # fmt: skip
async def self_rethinking(problem: Problem, mind: Mind, kept: Artifact | None, *, most: int = 3, rounds: int = 3) -> Answer:
    """Think, then ask whether a mistake like those made on similar questions was made again; while it was, revise.

    Rule: from labelled questions a set of errors, each a wrong rationale's type and reason; y₀ a thought; the `most` errors
    whose questions are most like this one (TF-IDF cosine) are shown beside y_i with the question whether a similar mistake was
    made; yes means y_{i+1}, no ends it, `rounds` at most. Without errors of similar questions it is a plain thought. Confidence
    is the likelihood of the last thought.
    Source: S118 "Can LLMs Learn from Previous Mistakes? Investigating LLMs' Errors to Boost for Reasoning". Left open and
    filled: the errors are the model's own, in place of the published set; mistake tuning, which trains, is a part of its own.
    The bundled model has no words for a type of mistake and refuses.
    """
    store = Store.from_data(kept.data["items"] if kept is not None else [])
    found = store.search(problem.text, most)
    thought = (await mind.think(problem))[0]
    told = RETHINK.format(mistakes="\n".join(f"- {one.item.text}" for one in found))
    for _ in range(rounds if found else 0):
        mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
        again = await mind.critique(problem, thought, instruction=told)
        mind.decide("revise" if again.fault else "stop", "an earlier mistake, again" if again.fault else "no earlier mistake")
        if not again.fault:
            break
        revised = (await mind.revise(problem, thought, again))[0]
        thought = thought if revised.answer is None else revised
    return mind.answer(thought.answer, sequence_confidence(thought), "logprobs")
