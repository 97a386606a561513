"""S257 IoRT: an instructor steers every round of reflection: select, refresh or stop."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.reflect.preferring import preferred
from nosce.reflect.second_look import corrected

CLAIM = Claim(
    statement="Reflection steered by the instructor is right more often than the same reflection repeated without one.",
    endpoint="accuracy", baseline="iort", baseline_options={"instructor": False}, taught=True,
)  # fmt: skip


@strategy("S257", "iort", acts={"think", "critique", "revise", "verify"}, claim=CLAIM)
async def instruct_of_reflection(problem: Problem, mind: Mind, *, rounds: int = 4, instructor: bool = True) -> Answer:
    """Each round the answer before and after reflection are compared, and the next step is to select, to refresh or to stop.

    Rule: a meta-thought m (a plan) where the model writes one; y a thought under m. In each of at most `rounds` rounds, y' is y
    criticised and, where it finds fault, revised. If the two answers differ, *select* the one that the model prefers as the
    next y. If they are the same, the instructor asks whether y is right: P(correct) ≥ ½ is *stop*, less is *refresh*, a new
    thought in place of y. A critique without fault counts as sameness. Confidence is the share of all answers seen that
    equal the last. `instructor=False` is the reflection alone (Self-Refine): y' replaces y until no fault is found.
    Source: S257 "Instruct-of-Reflection: Enhancing Large Language Models Iterative Reflection Capabilities via Dynamic-Meta
    Instruction". Left open and filled: which branch takes which instruction; no memory of earlier meta-thoughts. The bundled model
    writes no plan and was taught to criticise, to revise and to verify.
    """
    meta = (await mind.write("plan", problem))[:1] if instructor and "plan" in mind.dialect.acts else []
    current = (await mind.think(problem, notes=meta))[0]
    seen = [current]
    for _ in range(rounds):
        _settle(problem, mind, current, seen)
        revised = await corrected(problem, mind, current)
        if revised is not None and revised.answer is not None:
            seen.append(revised)
        if not instructor:
            if revised is None:
                break
            current = current if revised.answer is None else revised
        elif revised is not None and not _agree(problem, current, revised):
            current = await _selected(problem, mind, current, revised)
        elif ((await mind.verify(problem, current)).value or 0.0) >= 0.5:
            mind.decide("stop", "the answer stands and is held to be right")
            break
        else:
            mind.decide("switch", "refresh: the answer stands, yet is not held to be right")
            current = (await mind.think(problem, notes=meta))[0]
            seen.append(current)
    return _settle(problem, mind, current, seen)


async def _selected(problem: Problem, mind: Mind, current: Attempt, revised: Attempt) -> Attempt:
    """The better of the two; the one that can be read, where only one can; the earlier one, where the model cannot tell."""
    if revised.answer is None or current.answer is None:
        return current if revised.answer is None else revised
    chosen = await preferred(problem, mind, current, revised) or current
    mind.decide("switch", "select", kept=chosen is current)
    return chosen


def _agree(problem: Problem, a: Attempt, b: Attempt) -> bool:
    return a.answer is not None and b.answer is not None and problem.same(a.answer, b.answer)


def _settle(problem: Problem, mind: Mind, current: Attempt, seen: Sequence[Attempt]) -> Answer:
    said = [attempt.answer for attempt in seen if attempt.answer is not None]
    value = current.answer if current.answer is not None else next(iter(reversed(said)), None)
    share = None if value is None else sum(problem.same(value, other) for other in said) / len(seen)
    return mind.answer(value, share, "samples")
