"""S363 CRITIC: what a tool says about a draft is the critique that it is revised by."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.dialects.base import Critique
from nosce.mind.mind import Mind
from nosce.reflect.calculations import Calculation, recompute

CLAIM = Claim(
    statement="Critique by a calculator's evidence and revision beat the critique without it at the same number of rounds.",
    endpoint="accuracy", baseline="critic", baseline_options={"tools": False}, taught=True, fidelity="code",
    families=("arithmetic", "sums", "lists", "countdown"),
)  # fmt: skip


@strategy("S363", "critic", needs={"tools"}, acts={"think", "critique", "revise"}, claim=CLAIM)
async def critic(problem: Problem, mind: Mind, *, rounds: int = 4, tools: bool = True) -> Answer:
    """Draft, question a tool about the draft, critique it by what the tool says, revise; again until it stands.

    Rule: y₀ ~ P(·|x); evidence e = every calculation `a = b` of yᵢ done again by the calculator; cᵢ from (x, yᵢ, e);
    yᵢ₊₁ ~ P(·|x, yᵢ, cᵢ). Stops when e verifies yᵢ and no fault is found, when the answer came out the same twice running, or
    after `rounds` revisions. A model that reads words writes the critique from the evidence; for the bundled model the first
    calculation that is wrong is the critique, and a draft without any calculation is left to its own re-check. Where a
    calculation is wrong the tool has the last word on the step. Confidence is the share of the calculations that
    hold (source `verifier`; none where none is stated). `tools=False` is the ablation: the model's own critique alone.
    Source: S363 "CRITIC: Large Language Models Can Self-Correct with Tool-Interactive Critiquing". Left open and filled: the
    tool is the calculator in place of an interpreter, which this system brings along whatever the model itself may call.
    The bundled model was taught to re-check and to revise.
    """
    draft = (await mind.think(problem))[0]
    same = 0
    for turn in range(rounds + 1):
        mind.answer(draft.answer)
        evidence = recompute(mind, draft) if tools else []
        _answer(mind, draft, evidence)
        if turn == rounds or same == 2:
            break
        found = await _critique(problem, mind, draft, evidence)
        if not found.fault:
            mind.decide("stop", "verified" if evidence else "no fault found")
            break
        mind.decide("revise", found.text[:80], step=found.step)
        revised = (await mind.revise(problem, draft, found))[0]
        same = same + 1 if _same(problem, draft, revised) else 0
        draft = revised if revised.answer is not None else draft
    return _answer(mind, draft, evidence)


async def _critique(problem: Problem, mind: Mind, draft: Attempt, evidence: Sequence[Calculation]) -> Critique:
    wrong = next((calculation for calculation in evidence if not calculation.holds), None)
    if mind.dialect.name != "chat":  # evidence is words, and this model reads none
        return Critique(wrong.step, str(wrong)) if wrong else Critique(None) if evidence else await mind.critique(problem, draft)
    told = "A calculator says:\n" + "\n".join(map(str, evidence)) if evidence else ""
    said = await mind.critique(problem, draft, instruction=told)
    return said if wrong is None else Critique(wrong.step, f"{wrong} {said.text}".strip())


def _answer(mind: Mind, draft: Attempt, evidence: Sequence[Calculation]) -> Answer:
    holding = sum(calculation.holds for calculation in evidence)
    return mind.answer(draft.answer, holding / len(evidence) if evidence else None, "verifier")


def _same(problem: Problem, a: Attempt, b: Attempt) -> bool:
    return a.answer is not None and b.answer is not None and problem.same(a.answer, b.answer)
