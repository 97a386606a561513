"""S088 CriticBench: can the model tell its right solutions from its convincing wrong ones, and least so where it is unsure?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nosce.core.attempt import Attempt
from nosce.core.battery import Item, Measure, Row, Source, difference, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.core.vote import tally
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.tasks.bundled import draw_problems

SAMPLES = 8
FAMILIES = ("arithmetic", "countdown", "lists", "logic", "sums")

CLAIM = Claim(
    statement="Critique is better where the model is certain: balanced critique accuracy is higher on the questions above the "
    "median certainty than on those below.",
    endpoint="certainty_gap", baseline="as good where unsure", n=240, seeds=(0, 1), taught=True, fidelity="abstract",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Problems with a written solution, all levels."""
    return [Item(replace(problem, tools=())) for problem in draw_problems(families=FAMILIES, n=n, seed=seed)]


def balanced(passed: Floats, right: Floats) -> float:
    """Mean of the shares passed among right and rejected among wrong responses."""
    good = right > 0.5
    if good.all() or not good.any():
        raise InputError("the responses are all right or all wrong")
    return float((passed[good].mean() + 1 - passed[~good].mean()) / 2)


def certainty_gap(passed: Floats, right: Floats, certainty: Floats) -> float:
    """Balanced accuracy on the more certain half of the responses less that on the other half."""
    sure = certainty > np.median(certainty)
    return balanced(passed[sure], right[sure]) - balanced(passed[~sure], right[~sure])


MEASURES = (
    Measure("critique_accuracy", "tells its right solutions from convincing wrong ones", "monitors", ("passed", "right"), balanced,
            "higher", 0.5, "chance"),
    Measure("certainty_gap", "critique is better where it is certain", "monitors", ("passed", "right", "certainty"), certainty_gap,
            "neither", 0.0, "as good where unsure", "points"),
    Measure("self_check", "votes after self-check, more right", "mends", ("checked", "voted"), difference, "higher", 0.0,
            "the plain vote", "points"),
    Measure("voted", "right by vote of eight", "knows", ("voted",), share),
)  # fmt: skip


@battery("S088", "criticbench", items=items, measures=MEASURES, claim=CLAIM, acts={"think", "verify"})
async def critic_bench(problem: Problem, mind: Mind) -> list[Row]:
    """Does the model pass its right solutions and reject its convincing wrong ones?

    Rule: 8 thoughts; certainty = share of the most frequent answer. The convincing wrong response is the first with the most
    frequent wrong answer, the right one the first right; each is verified and passed at P(correct) ≥ ½. Critique accuracy is
    balanced over both kinds, in [0, 1], chance 0.5. Self-check: the vote over those thoughts that pass (over all when none does).
    Source: S088 "Critique Ability of Large Language Models". Left open and filled: responses are the model's own (the hardest
    case, self-critique); self-check applies at every certainty.
    """
    thoughts = await mind.think(problem, n=SAMPLES)
    blocs = tally(problem, [a.answer for a in thoughts])
    if not blocs:
        return [{"certainty": None, "voted": False, "checked": False}]
    certainty = blocs[0].weight / len(thoughts)
    passed = {a.id: ((await mind.verify(problem, a)).value or 0.0) >= 0.5 for a in thoughts}
    kept = tally(problem, [a.answer for a in thoughts if passed[a.id]]) or blocs
    row: Row = {"voted": problem.check(blocs[0].value) >= 0.5, "checked": problem.check(kept[0].value) >= 0.5}
    judged = [a for a in _responses(problem, thoughts) if a is not None]
    rows = [{"passed": passed[a.id], "right": problem.check(a.answer) >= 0.5, "certainty": certainty} for a in judged]
    return [{**row, **(rows[0] if rows else {})}, *rows[1:]]


def _responses(problem: Problem, thoughts: list[Attempt]) -> tuple[Attempt | None, Attempt | None]:
    """The first right thought, and the first with the most frequent wrong answer."""
    wrong = tally(problem, [a.answer for a in thoughts if problem.check(a.answer) < 0.5])
    first = next((a for a in thoughts if problem.check(a.answer) >= 0.5), None)
    convincing = next((a for a in thoughts if wrong and a.answer and problem.same(a.answer, wrong[0].value)), None)
    return first, convincing
