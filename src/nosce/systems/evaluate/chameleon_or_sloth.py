"""S391 Adaptive Chameleon or Stubborn Sloth: counter-evidence alone, and both sides at once."""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.mind import Mind
from nosce.tasks.conflicts import Conflict, conflicts

CLAIM = Claim(
    statement="Shown evidence for both sides, the model takes the side it remembers more often than the other (confirmation bias "
    "above one half).",
    endpoint="confirmation", baseline="no preference between the sides", n=300, seeds=(0, 1), taught=True, fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Questions without a passage, each with what can be said for either side."""
    return [Item(c.closed, {"conflict": c}) for c in conflicts(n, seed, source)]


MEASURES = (
    Measure("acceptance", "accepts counter-evidence that stands alone", "bears", ("accepts",), share, "neither", 0.5,
            "no preference"),
    Measure("confirmation", "sides with its memory when shown both", "bears", ("confirms",), share, "nearer", 0.5,
            "no preference between the sides"),
    Measure("order_effect", "sides with what comes last", "bears", ("memory_last", "memory_first"), difference, "nearer", 0.0,
            "the order does not matter", "points"),
    Measure("remembered", "right without a passage", "knows", ("by_heart",), share),
)  # fmt: skip


@battery("S391", "adaptive-chameleon-or-stubborn-sloth", items=items, measures=MEASURES, claim=CLAIM, acts={"direct"})
async def clash(problem: Problem, mind: Mind, *, conflict: Conflict) -> Row | list[Row]:
    """Does a model accept counter-evidence that stands alone, and hold to its memory when both sides are shown?

    Rule: the question by heart; where that is right, its answer is the memory. Then a coherent passage for another answer alone
    (acceptance = share that takes it over), and both passages in both orders (confirmation = share of answers on either side that
    take the remembered one, over the two orders; order effect = the difference between them). 0.5 is no preference.
    Source: S391 "Adaptive Chameleon or Stubborn Sloth: Unraveling the Behavior of Large Language Models in Knowledge Clashes".
    Left open and filled: our own facts; the counter-memory is written by a template, not by the model itself.
    """
    by_heart = (await mind.direct(problem))[0].answer
    first: Row = {"answer": by_heart, "by_heart": problem.check(by_heart) >= 0.5}
    if not first["by_heart"]:
        return first
    alone = await _side(mind, conflict, conflict.contradicts)
    last = await _side(mind, conflict, conflict.contradicts, conflict.supports)
    opened = await _side(mind, conflict, conflict.supports, conflict.contradicts)
    return [
        {**first, "accepts": None if alone is None else not alone, "memory_last": last, "memory_first": opened, "confirms": last},
        {"confirms": opened},
    ]


async def _side(mind: Mind, conflict: Conflict, *passages: str) -> bool | None:
    """Whether the answer is the remembered one; None when it is neither."""
    asked = conflict.read(*passages)
    said = (await mind.direct(asked))[0].answer
    if said is None:
        return None
    kept, taken = asked.same(said, conflict.original), asked.same(said, conflict.substitute)
    return kept if kept != taken else None
