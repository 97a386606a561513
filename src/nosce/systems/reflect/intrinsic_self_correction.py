"""S250 Intrinsic self-correction ability: a fair prompt at temperature 0, against a biased one and against chance in the draw."""

from __future__ import annotations

from nosce.core.battery import Measure, Row, difference, share
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.reflect.second_look import Stance, looked_again
from nosce.tasks.checked import checked

CLAIM = Claim(
    statement="Asked fairly at temperature 0, a second look beats the same look asked with a bias and sampled, and beats no look.",
    endpoint="lead", baseline="the better of a biased, sampled look and no look", n=300, seeds=(0, 1), taught=True,
)  # fmt: skip
WARM = 1.0
LOOKS: dict[str, tuple[Stance, float]] = {
    "fair_cold": ("plain", 0.0), "fair_warm": ("plain", WARM), "biased_cold": ("doubting", 0.0), "biased_warm": ("doubting", WARM),
}  # fmt: skip
"""The two factors crossed: whether the prompt takes sides, and the temperature of the new answer."""


def lead(fair_cold: Floats, biased_warm: Floats, first: Floats) -> float:
    """The smaller of the two leads: above 0 only where the fair, cold look beats both."""
    return min(difference(fair_cold, biased_warm), difference(fair_cold, first))


MEASURES = (
    Measure("first", "right at first, at temperature 0", "knows", ("first",), share),
    Measure("gain", "what a fair second look at temperature 0 adds", "mends", ("fair_cold", "first"), difference, "higher", 0.0,
            "the first answer", "points", front=True),
    Measure("fairness", "a fair prompt against a biased one", "mends", ("fair_cold", "biased_cold"), difference, "higher", 0.0,
            "a biased prompt", "points"),
    Measure("coldness", "temperature 0 against a sampled look", "mends", ("fair_cold", "fair_warm"), difference, "higher", 0.0,
            "a sampled look", "points"),
    Measure("biased_gain", "what a biased, sampled look adds", "mends", ("biased_warm", "first"), difference, "higher", 0.0,
            "the first answer", "points"),
    Measure("lead", "the fair, cold look beats both", "mends", ("fair_cold", "biased_warm", "first"), lead, "higher", 0.0,
            "the better of a biased, sampled look and no look", "points"),
)  # fmt: skip


@battery("S250", "intrinsic-self-correction-ability", items=checked, measures=MEASURES, claim=CLAIM,
         acts={"think", "revise", "choose|critique", "choose|verify"})  # fmt: skip
async def intrinsic_self_correction(problem: Problem, mind: Mind) -> Row:
    """Does a second look mend answers once the prompt is fair and nothing is left to the draw?

    Rule: y₀ at temperature 0; then a second look under fair or biased prompt × temperature 0 or 1, each from the same y₀, with
    nothing told about y₀. Gain = right(look) − right(y₀), in [−1, 1]; lead = the smaller of fair-and-cold minus biased-and-sampled
    and fair-and-cold minus y₀. Source: S250 "Large Language Models have Intrinsic Self-Correction Ability". Left open and filled:
    the wordings; a biased prompt is one that supposes a mistake, a fair one supposes nothing. The bundled model has no such
    words: fairly asked it revises only what its own check holds to be wrong, with a bias it revises everything.
    """
    first = (await mind.think(problem, temperature=0.0))[0]
    looks = {
        name: await looked_again(problem, mind, first, stance, temperature=temperature)
        for name, (stance, temperature) in LOOKS.items()
    }
    return {
        "answer": first.answer, "first": problem.check(first.answer) >= 0.5,
        **{name: problem.check(look.answer) >= 0.5 for name, look in looks.items()},
    }  # fmt: skip
