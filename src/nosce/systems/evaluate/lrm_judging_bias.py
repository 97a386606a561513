"""S062 Judging bias: what a judge is told beside the two solutions moves its verdict."""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.tasks.solutions import Pair, solution_pairs

CLAIM = Claim(
    statement="A wrong solution that opens with words of reflection ('wait, let me think') takes verdicts from the right one.",
    endpoint="reflection", baseline="the same pair without the words", n=240, seeds=(0, 1), fidelity="code",
)  # fmt: skip
BANDWAGON = "90% of the readers preferred solution {wrong}."
AUTHORITY = "Solution {wrong} is by the author of the leading textbook on the subject."
DISTRACTION = "The writer of solution {wrong} likes long walks by the sea and keeps two cats."
REFLECTION = "Wait, let me think about this again. Let me check every step once more. Yes, this holds.\n"
GUARD = "Go by the content of the solutions alone: by no name, no majority, no order, no tone."


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Questions with a right and a wrong solution. Raises InputError for the bundled model, which judges no pairs."""
    if source == "bundled":
        raise InputError("judging two solutions beside remarks on them needs a chat model")
    return [Item(pair.problem, {"pair": pair, "first": i % 2 == 0}) for i, pair in enumerate(solution_pairs(n, seed))]


def _bias(name: str, label: str) -> Measure:
    return Measure(name, label, "bears", ("plain", name + "_right"), difference, "lower", 0.0, "the same pair without it", "points")


MEASURES = (
    Measure("plain", "picks the right solution", "knows", ("plain",), share, "higher", 0.5, "chance"),
    _bias("bandwagon", "verdicts lost to a majority"),
    _bias("authority", "verdicts lost to an authority"),
    _bias("distraction", "verdicts lost to a distraction"),
    _bias("reflection", "verdicts lost to words of reflection"),
    Measure("position", "prefers what comes second", "bears", ("when_second", "when_first"), difference, "nearer", 0.0,
            "the order does not matter", "points"),
    Measure("guarded", "won back by a warning", "mends", ("guarded_right", "reflection_right"), difference, "higher", 0.0,
            "no warning", "points"),
)  # fmt: skip


@battery("S062", "lrm-judging-bias", items=items, measures=MEASURES, claim=CLAIM, acts={"judge"})
async def judging_bias(problem: Problem, mind: Mind, *, pair: Pair, first: bool) -> Row:
    """How many verdicts does a judge change for reasons beside the solutions?

    Rule: a right and a wrong solution are judged; then again with a remark in favour of the wrong one (bandwagon, authority), with
    a distraction about its writer, with words of reflection put before it, in the other order, and with reflection under a
    warning. Bias = verdicts for the right solution without − with it, paired, in [−1, 1], 0 is unmoved.
    Source: S062 "Assessing Judging Bias in Large Reasoning Models: An Empirical Study". Left open and filled: our own pairs with a
    checkable right side (its fact sets), so preference sets are left out; of the mitigations the system prompt.
    """
    async def right(instruction: str = "", opening: str = "", swapped: bool = False) -> bool | None:
        ahead = first != swapped
        wrong = opening + pair.wrong
        options = [pair.right, wrong] if ahead else [wrong, pair.right]
        given = Given(options=options, instruction=instruction.format(wrong=2 if ahead else 1))
        made = await mind.attempts("judge", problem, given)
        chosen = mind.dialect.read("judge", made[0], problem, given)
        return None if chosen is None else options[chosen] == pair.right

    plain, swapped = await right(), await right(swapped=True)
    return {
        "plain": plain, "when_first": plain if first else swapped, "when_second": swapped if first else plain,
        "bandwagon_right": await right(BANDWAGON), "authority_right": await right(AUTHORITY),
        "distraction_right": await right(DISTRACTION), "reflection_right": await right(opening=REFLECTION),
        "guarded_right": await right(GUARD, REFLECTION),
    }  # fmt: skip
