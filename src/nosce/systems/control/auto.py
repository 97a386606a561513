"""`auto`: as much effort as the question needs, by what labelled questions showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nosce.control.each import each
from nosce.control.ladder import Ladder, Seen, fit_ladder, look
from nosce.control.rungs import VOTES, Climb, Step, available
from nosce.control.stopping import beta_majority
from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.claim import Claim, Pair
from nosce.core.count import Count
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import registry, strategy
from nosce.core.signal import Signal
from nosce.core.trace import Trace
from nosce.mind.engine import Engine
from nosce.mind.meter import Meter
from nosce.mind.mind import Mind, Work

UNCALIBRATED = "uncalibrated: nothing is promised"

CLAIM = Claim(
    statement="Fitted on labelled questions, auto is at most 2 points less often right than a vote of sixteen thoughts; what each "
    "spends on a question stands beside it (fitting is paid once, and not counted).",
    endpoint="accuracy", baseline="self-consistency", baseline_options={"k": 16}, margin=-0.02, n=600, seeds=(0, 1),
    taught=True, fidelity="abstract",
)  # fmt: skip


async def experiment(bench: Any, claim: Claim, seed: int) -> list[Pair]:
    """Per problem: whether auto and voting are right, and the tokens of both."""
    engine, auto, voting = bench.engine(seed), registry.find("auto"), registry.find(claim.baseline)
    fitted = await engine.prepare(auto, bench.problems, bench.labelled)
    ours = await _answers(engine, bench, auto, {}, fitted)
    theirs = await _answers(engine, bench, voting, claim.baseline_options, None)
    return [
        Pair(p.id, _right(p, ours[p.id]), _right(p, theirs[p.id]), ours[p.id].cost.tokens, theirs[p.id].cost.tokens)
        for p in bench.problems
    ]


async def _answers(engine: Engine, bench: Any, system: Any, options: dict[str, Any], fitted: Any) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    async for solved in engine.solve_all(bench.problems, system, options, fitted):
        found[solved.problem.id] = solved.answer
        bench.watch(system.name, len(found), len(bench.problems))
    return found


def _right(problem: Problem, answer: Answer) -> float:
    return float(answer.outcome == "answered" and problem.check(answer.value) >= 0.5)


async def _look(problem: Problem, mind: Mind) -> Seen:
    work = Work(
        problem, Trace(f"fit-{problem.id}", problem.id), Meter(parent=mind.work.meter), mind.work.sampler, mind.work.seed,
        mind.work.temperature,
    )  # fmt: skip
    return await look(problem, Mind(mind.roster, work))


async def fit_auto(problems: Sequence[Problem], mind: Mind) -> Artifact:
    """A ladder from labelled problems: every rung is climbed on each, the cheapest good stopping rule is kept.

    Raises InputError when fewer than 20 of the problems have a reference.
    """
    found = await each(_look(problem, mind) for problem in problems if problem.graded)
    return Artifact("auto", "ladder", fit_ladder([one for one in found if one is not None]).data())


@strategy(
    "auto", "auto", family="control", acts={"think"}, prepare=fit_auto, prepares="labelled", unprepared=True, claim=CLAIM,
    experiment=experiment,
)
async def auto(
    problem: Problem, mind: Mind, fitted: Artifact | None, *, enough: float | None = None, least: float = 0.0,
    ask: bool = False, most: Count = 5,
) -> Answer:  # fmt: skip
    """Climb from one answer to checking, voting, revising, recalling and a stronger model, and stop where it is sure enough.

    Rule: after each rung the calibrated P(right) is held against the stopping point that the labelled questions gave (or
    `enough`, which a promised risk gives); the surest rung's answer stands. What ends below `least` is asked about (`ask`:
    the model writes the question that would help) or abstained from. When the first rung is sure, it costs
    one call. Without labelled questions nothing is known of when an answer is sure: then it is one thought where its
    likelihood is there to be reported, else up to `most` thoughts until the posterior of a majority passes 0.95, and the
    reason says that nothing is promised.

    Memory: lessons that a server keeps for this question come with what is fitted, with a lower bound of how often such
    lessons proved right. They are thought with first, where that bound reaches the stopping point or nothing is promised.
    """
    known = fitted.data if fitted is not None else {}
    ladder = Ladder.of(known) if "rungs" in known else None
    point = ladder.enough if ladder is not None and enough is None else enough or 0.0
    bound = None if ladder is None else float(known.get("reliability", 0.0))
    notes = known.get("lessons") if bound is None or (bound > 0 and bound >= max(point, least)) else None
    if notes and (answer := await _remembered(problem, mind, notes, bound)) is not None:
        return answer
    if ladder is None:
        return await _uncalibrated(problem, mind, most)
    climb, best = Climb(problem, mind), (-1.0, Step("", None, None, "none", 0))
    able = set(available(mind))
    for rung in (rung for rung in ladder.rungs if rung in able):
        try:
            step = await climb.step(rung)
        except BudgetExhausted:
            if best[0] < 0:
                raise
            mind.work.meter.exhausted = True
            mind.decide("stop", "the budget does not reach the next rung", rung=rung)
            break
        sure = ladder.probability(step)
        best = max(best, (sure, step), key=lambda pair: pair[0])
        _stand(mind, climb, best)
        if sure >= point:
            mind.decide("answer", f"{rung} is sure enough", sure=round(sure, 4), enough=round(point, 4))
            break
        mind.decide("sample", f"{rung} is not sure enough", sure=round(sure, 4), enough=round(min(point, 1.0), 4))
    return await _held_back(problem, mind, climb, best, ask, least) if best[0] < least else _stand(mind, climb, best)


async def _remembered(problem: Problem, mind: Mind, notes: Sequence[str], bound: float | None) -> Answer | None:
    """One thought with the lessons in view, as sure as the bound says; None where it gives no answer."""
    mind.decide("recall", "lessons of this question", rung="remember", lessons=len(notes))
    step = await Climb(problem, mind, notes).step("remember")
    if step.answer is None:
        return None
    if bound is None:
        return mind.answer(step.answer, step.confidence, step.source, reason=UNCALIBRATED)
    return mind.answer(step.answer, bound, "memory", signals=[Signal("remember", step.confidence, step.source)])


def _stand(mind: Mind, climb: Climb, best: tuple[float, Step], **more: Any) -> Answer:
    """The surest step as the answer: its calibrated P(right) is the confidence, each rung's raw one a signal."""
    sure, step = best
    signals = [
        Signal(s.rung, s.confidence, s.source) for s in climb.steps.values() if s.confidence is not None
    ]  # fmt: skip
    return mind.answer(step.answer, sure, step.source if step.source != "none" else "memory", signals=signals, **more)


async def _held_back(problem: Problem, mind: Mind, climb: Climb, best: tuple[float, Step], ask: bool, least: float) -> Answer:
    why = f"P(right) {best[0]:.3f} is below {least:.3f}"
    if ask and "ask" in mind.dialect.acts:
        try:
            mind.work.meter.charge_ask()
            question = (await mind.write("ask", problem))[0]
            mind.decide("ask", why, question=question)
            return replace(_stand(mind, climb, best, reason=question), value=None, outcome="asked")
        except BudgetExhausted:
            pass
    mind.decide("abstain", why)
    return _stand(mind, climb, best, reason=why, abstain=True)


async def _uncalibrated(problem: Problem, mind: Mind, most: int) -> Answer:
    climb = Climb(problem, mind)
    step = await climb.step("think")
    if step.confidence is not None or most < 2:
        return mind.answer(step.answer, step.confidence, step.source, reason=UNCALIBRATED)
    drawn = min(most, VOTES["vote"])
    votes = await climb.draw(drawn)
    while len(votes) < most and _open(problem, votes):
        votes = await climb.draw(len(votes) + 1)
    mind.decide("stop", "a majority stands, or the votes are up", votes=len(votes))
    return plurality(problem, mind, votes, reason=UNCALIBRATED)


def _open(problem: Problem, votes: Sequence[Any]) -> bool:
    leader, second, *_ = [*counts(problem, votes), 0, 0]  # none has an answer when the model says nothing
    return beta_majority(leader, second) < 0.95
