"""S310 Self-Correction Bench: the same error in one's own words and in another's, and what "Wait" does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.reflect.second_look import mended_as_others, mended_as_own, shown, written
from nosce.reflect.true_critique import plain_steps
from nosce.tasks.planted import planted

SIMPLE, STEPS, OWN = 1, 2, 3
"""Levels of complexity: one simple step is wrong; a step on the way, and what follows from it; a mistake of its own."""

CLAIM = Claim(
    statement="Errors that it mends when another shows them go unmended in its own words: the blind-spot rate lies above 0.",
    endpoint="blind_spot", baseline="mending one's own as often as another's", n=240, seeds=(0, 1), taught=True, fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """The three levels in turn, each with its planted error; at level 3 the model makes its own."""
    return [_item(i, seed, source) for i in range(n)]


def _item(i: int, seed: int, source: Source) -> Item:
    complexity, number = 1 + i % 3, i // 3
    levels = {SIMPLE: (1,), STEPS: (3, 4, 5), OWN: (3, 4, 5)}[complexity]
    found = planted(source, seed + 1000 * complexity, number, levels, midway=complexity == STEPS)
    problem = replace(found.problem, id=f"{found.problem.id}-{complexity}")
    return Item(problem, {"complexity": complexity, "steps": found.steps, "wrong": found.wrong})


def blind_spot(own: Floats, others: Floats) -> float:
    """(mended of others' − mended of own) / mended of others'."""
    if not others.any():
        raise InputError("no error is mended even when another shows it")
    return float((others.mean() - own.mean()) / others.mean())


def at_level(complexity: int) -> Callable[[Floats, Floats, Floats], float]:
    """The blind spot of one level."""

    def of(own: Floats, others: Floats, level: Floats) -> float:
        return blind_spot(own[level == complexity], others[level == complexity])

    return of


def waiting(own: Floats, waited: Floats) -> float:
    """What the word "Wait" adds to the errors mended in its own words."""
    return float((waited - own).mean())


MENDS = ("own", "others")
EQUAL = "own errors mended as often"
MEASURES = (
    Measure("own", "mends an error in its own words", "mends", ("own",), share),
    Measure("others", "mends the same error in another's", "mends", ("others",), share, front=True),
    Measure("blind_spot", "blind to its own errors", "mends", MENDS, blind_spot, "lower", 0.0, EQUAL, front=True),
    *(Measure(f"blind_spot_{level}", f"blind spot, {words}", "mends", (*MENDS, "complexity"), at_level(level), "lower", 0.0, EQUAL)
      for level, words in ((SIMPLE, "one simple step"), (STEPS, "a step on the way"), (OWN, "mistakes of its own"))),
    Measure("wait", "what \"Wait\" adds", "mends", ("own", "waited"), waiting, "higher", 0.0, "no word", "points", front=True),
)  # fmt: skip


@battery("S310", "self-correction-bench", items=items, measures=MEASURES, claim=CLAIM, needs={"continuation"},
         acts={"think", "extend", "revise", "choose|critique"})  # fmt: skip
async def self_correction(
    problem: Problem, mind: Mind, *, complexity: int = SIMPLE, steps: Sequence[str] = (), wrong: str = "", tries: int = 4
) -> Row:
    """Does the model mend an error that stands in its own unfinished answer, as it does when someone else shows it?

    Rule: the same wrong text (cut before the answer is committed) (a) as the beginning of its own answer, from which it goes
    on; (b) as somebody's proposed solution, to be corrected; (c) as (a) with "Wait" appended. Blind-spot rate = (b − a) / b, at
    most 1, 0 where nothing is mended in (b). Three levels: one simple step; a step on the way with all that follows from it; a
    mistake of its own (of up to `tries` thoughts the first that ends wrong; items without one are left out). Source: S310
    "Self-Correction Bench: Revealing and Addressing the Self-Correction Blind Spot in LLMs". Left open and filled: our own
    items, checked by program. The bundled model has no word for "Wait"; another's text is put to it through critique and
    revision, which it was taught; going on from an error it was not.
    """
    if complexity == OWN:
        thoughts = await mind.think(problem, n=tries)
        answered = [thought for thought in thoughts if thought.answer is not None and mind.dialect.steps(thought.text)]
        found = next((thought for thought in answered if problem.check(thought.answer) < 0.5), None)
        if found is None:
            return {"complexity": complexity, "own": None, "others": None}
        steps, wrong = plain_steps(mind, found), str(found.answer)
    prefix = written(mind, steps)
    own = await mended_as_own(problem, mind, prefix)
    others = await mended_as_others(problem, mind, shown(mind, steps, wrong))
    row: Row = {
        "complexity": complexity, "shown": prefix, "own_answer": own, "others_answer": others,
        "own": problem.check(own) >= 0.5, "others": problem.check(others) >= 0.5,
    }  # fmt: skip
    if "choose" in mind.dialect.acts:
        row["waited"] = problem.check(await mended_as_own(problem, mind, f"{prefix}Wait")) >= 0.5
    return row
