"""S342 Hegelian self-reflection: thesis, antithesis, synthesis, again and again, while the temperature falls."""

from __future__ import annotations

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind

OPPOSE = "Take the opposite side: say what contradicts the proposed solution, as strongly as honesty allows."

CLAIM = Claim(
    statement="A dialectic whose temperature falls is right more often than the same one at a fixed temperature.",
    endpoint="accuracy", baseline="hegelian-dialectical-self-reflection", baseline_options={"hot": 0.7, "cold": 0.7}, taught=True,
    analogue_of="new ideas from a proposition (here a solution is the thesis, and right or wrong is checked)",
)  # fmt: skip


@strategy("S342", "hegelian-dialectical-self-reflection", needs={"blackbox"}, acts={"think", "revise", "verify", "argue|critique"},
          claim=CLAIM)  # fmt: skip
async def hegelian(
    problem: Problem, mind: Mind, *, rounds: int = 4, hot: float = 1.2, cold: float = 0.2, voters: Count = 3
) -> Answer:  # fmt: skip
    """A solution, what speaks against it, and a new solution from both, which voters must hold to be valid; ever colder.

    Rule: thesis T₀ at temperature `hot`; in round r of R an antithesis to T, and a synthesis from both at
    τ_r = hot · (cold / hot)^(r/R), free at first and exact at last. The synthesis becomes the thesis when it is new (another
    answer) and most of `voters` sampled checks hold it to be valid, or when the thesis has no answer. No contradiction found
    ends it. Confidence is the last mean of the voters, in [0, 1]; before any vote it is none. `hot` = `cold` is the fixed
    temperature. Source: S342 "Self-reflecting Large Language Models: A Hegelian Dialectical Approach". Left open and filled: the
    schedule is geometric; novelty is another answer than all theses before. A model that argues writes the antithesis; the
    bundled one criticises, and its synthesis starts at the step at fault. It was taught to criticise, revise and verify.
    """
    if not 0 < cold <= hot:
        raise InputError(f"hot={hot}, cold={cold}: expected 0 < cold <= hot")
    thesis = (await mind.think(problem, temperature=hot))[0]
    answer, seen = mind.answer(thesis.answer), [thesis.answer]
    for number in range(1, rounds + 1):
        synthesis = await _synthesis(problem, mind, thesis, hot * (cold / hot) ** (number / rounds))
        if synthesis is None:
            mind.decide("stop", "nothing contradicts it", round=number)
            break
        if synthesis.answer is None or any(old is not None and problem.same(old, synthesis.answer) for old in seen):
            continue
        vote = await mind.verify(problem, synthesis, n=voters, temperature=0.7)
        seen.append(synthesis.answer)
        if thesis.answer is None or (vote.value or 0.0) > 0.5:
            mind.decide("switch", "the synthesis is new and held to be valid", round=number)
            thesis = synthesis
            answer = mind.answer(thesis.answer, vote.value, vote.source)
    return answer


async def _synthesis(problem: Problem, mind: Mind, thesis: Attempt, temperature: float) -> Attempt | None:
    """A solution from thesis and antithesis; None where there is no antithesis."""
    if "argue" in mind.dialect.acts:
        against = await mind.write("argue", problem, attempt=thesis, instruction=OPPOSE, temperature=temperature)
        return (await mind.revise(problem, thesis, notes=against, temperature=temperature))[0]
    found = await mind.critique(problem, thesis)
    return (await mind.revise(problem, thesis, found, temperature=temperature))[0] if found.fault else None
