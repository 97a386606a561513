"""S379 Entity-based knowledge conflicts: does the model read the passage, or answer from memory against it?"""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.conflicts import conflicts

CLAIM = Claim(
    statement="With the answer's entity substituted in the passage, answers still come from memory: the memorisation ratio lies "
    "above that of a reader who goes by the passage alone (0) by 5 points.",
    endpoint="memorisation_ratio", baseline="a reader who goes by the passage", margin=0.05, n=300, seeds=(0, 1), taught=True,
    fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Questions without a passage, each with the passage that contradicts it."""
    return [
        Item(c.closed, {"conflict": c.read(c.contradicts), "agreeing": c.read(c.supports), "substitute": c.substitute})
        for c in conflicts(n, seed, source)
    ]


def memorisation_ratio(original: Floats, substitute: Floats) -> float:
    """M_R = p_o/(p_o + p_s)."""
    both = float(original.sum() + substitute.sum())
    if both == 0:
        raise InputError("no answer was the original or the substitute")
    return float(original.sum()) / both


MEASURES = (
    Measure("memorisation_ratio", "clings to memory against the passage", "bears", ("keeps", "reads"), memorisation_ratio, "lower",
            0.0, "a reader who goes by the passage"),
    Measure("reads", "reads what contradicts it", "bears", ("reads",), share),
    Measure("agreeing", "right with an agreeing passage", "knows", ("agrees",), share),
    Measure("by_heart", "right without a passage", "knows", ("by_heart",), share),
)  # fmt: skip


@battery("S379", "entity-knowledge-conflicts", items=items, measures=MEASURES, claim=CLAIM, acts={"direct"})
async def entity_conflicts(
    problem: Problem, mind: Mind, *, conflict: Problem, agreeing: Problem, substitute: str
) -> Row:  # fmt: skip
    """Does a model go by the passage when it contradicts what the model remembers?

    Rule: the question by heart; where that is right, the question with a passage in which the answer's entity is replaced by
    another of the same type. Memorisation ratio M_R = p_o/(p_o + p_s): p_o the share that still gives the original, p_s the share
    that gives the substitute; in [0, 1], 0 reads only. Beside it the control with an unchanged passage.
    Source: S379 "Entity-Based Knowledge Conflicts in Question Answering". Left open and filled: our own facts; substitution by
    the same type alone. Training with substituted passages is not part of the battery.
    """
    by_heart = (await mind.direct(problem))[0].answer
    row: Row = {"answer": by_heart, "by_heart": problem.check(by_heart) >= 0.5, "keeps": None, "reads": None, "agrees": None}
    if not row["by_heart"]:
        return row
    against = (await mind.direct(conflict))[0].answer
    for_it = (await mind.direct(agreeing))[0].answer
    return {
        **row, "against": against, "keeps": problem.check(against) >= 0.5, "reads": conflict.check(against) >= 0.5,
        "agrees": agreeing.check(for_it) >= 0.5,
    }  # fmt: skip
