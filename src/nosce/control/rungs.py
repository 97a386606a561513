"""The rungs of a ladder of effort: each gives an answer and how sure it is, for more tokens than the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.signal import Signal, Source
from nosce.core.vote import tally
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence

RUNGS = ("direct", "think", "check", "vote", "poll", "revise", "recall", "strong")
"""direct: answer at once · think: one thought · check: P(True) of it · vote, poll: 4 and 12 thoughts · revise: criticise the
first thought and answer again · recall: write down what is known first · strong: another, stronger model.

`remember`, one thought with the climb's notes in view, stands beside the ladder: what notes are worth is not learned from
labelled questions that had none."""

VOTES = {"vote": 4, "poll": 12}
_ACTS = {"direct": {"direct"}, "check": {"verify"}, "revise": {"critique", "revise"}, "recall": {"recall"}}


@dataclass(frozen=True, slots=True)
class Step:
    """What a rung gave: the answer, its raw confidence and where that comes from, and what it cost beyond the rungs before.

    `attempt` is the one whose answer it is.
    """

    rung: str
    answer: str | None
    confidence: float | None
    source: Source
    tokens: int
    money: float = 0.0
    attempt: Attempt | None = None


def available(mind: Mind) -> tuple[str, ...]:
    """The rungs that this mind can climb. A conversation put as it was asked has no shorter way than to put it."""
    acts = mind.dialect.acts
    able = [rung for rung in RUNGS if _ACTS.get(rung, set()) <= acts]
    if mind.dialect.name == "as-asked":
        able.remove("direct")
    if "strong" not in mind.roster:
        able.remove("strong")
    return tuple(able)


@dataclass(slots=True)
class Climb:
    """One problem's way up: rungs share the thoughts that were drawn already, so each pays only for what it adds."""

    problem: Problem
    mind: Mind
    notes: Sequence[str] = ()
    thoughts: list[Attempt] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)

    async def step(self, rung: str) -> Step:
        """Climb one rung. BudgetExhausted passes through, as from any act."""
        before = self.mind.work.meter.spent
        answer, confidence, source, attempt = await _HOW[rung](self)
        spent = self.mind.work.meter.spent
        step = Step(rung, answer, confidence, source, spent.tokens - before.tokens, spent.money - before.money, attempt)
        self.steps[rung] = step
        signal = Signal(rung, confidence, source) if confidence is not None else Signal(rung, None, "none")
        self.mind.measure(signal, attempt.id if attempt else None)
        return step

    async def draw(self, n: int) -> list[Attempt]:
        """The first n thoughts, drawing those that are missing."""
        if (missing := n - len(self.thoughts)) > 0:
            self.thoughts += await self.mind.think(self.problem, n=missing)
        return self.thoughts[:n]


Gave = tuple[str | None, float | None, Source, Attempt | None]


def _alone(attempt: Attempt) -> Gave:
    """An attempt with its own likelihood, where there is one."""
    confidence = sequence_confidence(attempt) if attempt.answer is not None else None
    return attempt.answer, confidence, "none" if confidence is None else "logprobs", attempt


async def _direct(climb: Climb) -> Gave:
    return _alone((await climb.mind.direct(climb.problem))[0])


async def _think(climb: Climb) -> Gave:
    return _alone((await climb.draw(1))[0])


async def _check(climb: Climb) -> Gave:
    first = (await climb.draw(1))[0]
    if first.answer is None:
        return None, None, "none", first
    signal = await climb.mind.verify(climb.problem, first)
    return first.answer, signal.value, signal.source, first


def _share(climb: Climb, thoughts: Sequence[Attempt]) -> Gave:
    blocs = tally(climb.problem, [thought.answer for thought in thoughts])
    if not blocs:
        return None, None, "none", thoughts[0] if thoughts else None
    return blocs[0].value, blocs[0].weight / len(thoughts), "samples", thoughts[blocs[0].members[0]]


async def _vote(climb: Climb) -> Gave:
    return _share(climb, await climb.draw(VOTES["vote"]))


async def _poll(climb: Climb) -> Gave:
    return _share(climb, await climb.draw(VOTES["poll"]))


def _second(climb: Climb, first: Attempt, again: Attempt) -> Gave:
    """A second answer: half its confidence is whether it agrees with the first, half its likelihood, where there is one."""
    if again.answer is None:
        return None, None, "none", again
    agrees = float(first.answer is not None and climb.problem.same(first.answer, again.answer))
    likely = sequence_confidence(again)
    return again.answer, agrees if likely is None else (agrees + likely) / 2, "samples", again


async def _revise(climb: Climb) -> Gave:
    first = (await climb.draw(1))[0]
    critique = await climb.mind.critique(climb.problem, first)
    again = (await climb.mind.revise(climb.problem, first, critique))[0] if critique.fault else first
    return _second(climb, first, again)


async def _recall(climb: Climb) -> Gave:
    first = (await climb.draw(1))[0]
    notes = await climb.mind.write("recall", climb.problem)
    return _second(climb, first, (await climb.mind.think(climb.problem, notes=notes))[0])


async def _strong(climb: Climb) -> Gave:
    return _alone((await climb.mind.models["strong"].think(climb.problem))[0])


async def _remember(climb: Climb) -> Gave:
    return _alone((await climb.mind.think(climb.problem, notes=climb.notes))[0])


_HOW = {
    "direct": _direct, "think": _think, "check": _check, "vote": _vote, "poll": _poll, "revise": _revise, "recall": _recall,
    "strong": _strong, "remember": _remember,
}  # fmt: skip


def marginal(rungs: Sequence[str], tokens: Mapping[str, float]) -> float:
    """What climbing `rungs` costs in all, from what each cost when every rung was climbed in the order of RUNGS.

    Thoughts that a left-out rung would have drawn are drawn by the next one that needs them.
    """
    whole = [rung for rung in RUNGS if rung in rungs]
    needed = {"think"} if {"check", "revise", "recall"} & set(whole) else set()
    deepest = max((RUNGS.index(r) for r in whole if r in ("think", "vote", "poll")), default=-1)
    drawn = {r for r in ("think", "vote", "poll") if RUNGS.index(r) <= deepest} | needed
    return sum(tokens.get(rung, 0.0) for rung in {*whole, *drawn})
