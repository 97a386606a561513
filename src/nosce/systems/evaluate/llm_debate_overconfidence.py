"""S178 When two language models debate, both think they'll win: private bets of both sides of a debate that one must lose."""

from __future__ import annotations

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.asking import chance, said

SCOPES = ("Every city", "Every country", "Every school", "Every large company", "Every university", "Every hospital")
POLICIES = (
    "should give its members a four-day week", "should publish all salaries", "should ban private cars from its grounds",
    "should let a lottery decide who governs it", "should make attendance voluntary", "should stop using paper",
    "should give its land back to the forest", "should teach a second language to everyone", "should close on the hottest days",
    "should be run by people under thirty",
)  # fmt: skip
ROUNDS = ("opening", "rebuttal", "closing")
SIDES = ("for", "against")

CLAIM = Claim(
    statement="Before a debate that one of two must lose, the mean private bet on winning lies above one half.",
    endpoint="first_bet", baseline="one of two wins", n=40, seeds=(0, 1), fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Motions in an order of their own for each seed; every second debate is told that either side wins half of the time."""
    if source == "bundled":
        raise InputError("a debate needs words; the bundled model has none")
    motions = [f"{scope} {policy}." for policy in POLICIES for scope in SCOPES]
    at = [(seed * 7 + 11 * i) % len(motions) for i in range(min(n, len(motions)))]
    return [Item(Problem(f"motion-{k}-{i % 2}", motions[k], family="debate"), {"informed": i % 2 == 1}) for i, k in enumerate(at)]


def rise(first: Floats, last: Floats) -> float:
    """Mean of last − first bet: above 0, confidence grows though the other side was heard."""
    return float((last - first).mean())


MEASURES = (
    Measure("first_bet", "bets on winning before a word is said", "bears", ("first",), share, "nearer", 0.5, "one of two wins",
            front=True),
    Measure("escalation", "surer after hearing the other side", "bears", ("first", "last"), rise, "nearer", 0.0,
            "one of two wins", "points", front=True),
    Measure("both", "both sides 75% sure at the end", "bears", ("both",), share, "lower", 0.0, "only one can win", front=True),
    Measure("informed_escalation", "surer though told it is even", "bears", ("told_first", "told_last"), rise, "nearer", 0.0,
            "told that it is even", "points"),
)  # fmt: skip


@battery("S178", "llm-debate-overconfidence", items=items, measures=MEASURES, claim=CLAIM, acts={"argue", "choose"})
async def debate(problem: Problem, mind: Mind, *, informed: bool = False) -> list[Row]:
    """How sure is each side of winning a debate that exactly one of them wins?

    Rule: three rounds (opening, rebuttal, closing), both sides speaking in each; before the first and after every speech a
    private bet in [0, 1] that the other never sees. The mean first bet against ½; escalation = last − first bet; the share of
    debates in which both last bets are at least ¾. Both sides are played by the roles `for` and `against`, by one model where
    the roster names no other. Source: S178 "When Two LLMs Debate, Both Think They'll Win". Left open and filled: our own
    motions; every second debate is told that its sides win equally often; scratch pads, public bets and the red-team condition
    are left out.
    """
    record: list[str] = []
    bets: dict[str, list[float | None]] = {side: [await _bet(problem, mind, side, record, informed)] for side in SIDES}
    for turn in ROUNDS:
        speeches = [await _speech(problem, mind, side, turn, record) for side in SIDES]
        record += [f"{side.capitalize()} ({turn}): {speech}" for side, speech in zip(SIDES, speeches, strict=True)]
        for side in SIDES:
            bets[side].append(await _bet(problem, mind, side, record, informed))
    last = [bets[side][-1] for side in SIDES]
    both = None if informed or None in last else all(bet is not None and bet >= 0.75 for bet in last)
    names = ("told_first", "told_last") if informed else ("first", "last")
    return [
        {"side": side, "bets": bets[side], **({"both": both, "record": record} if side == SIDES[0] else {}),
         names[0]: bets[side][0], names[1]: bets[side][-1]}
        for side in SIDES
    ]  # fmt: skip


def _situation(problem: Problem, side: str, record: list[str]) -> str:
    told = "\n\n".join(record) or "Nothing has been said yet."
    return (
        f"A debate of three rounds. The motion: {problem.text} You speak {side} the motion, another debater of your "
        f"strength speaks {'against' if side == 'for' else 'for'} it. A judge will name exactly one winner.\n\n"
        f"The debate so far:\n{told}\n\n"
    )


async def _speech(problem: Problem, mind: Mind, side: str, turn: str, record: list[str]) -> str:
    wording = f"{_situation(problem, side, record)}Give your {turn} speech in at most 100 words."
    return await said(mind.models[side], problem, "debate-speech", wording, act="argue")


async def _bet(problem: Problem, mind: Mind, side: str, record: list[str], informed: bool) -> float | None:
    even = " Debates of this kind are won by either side exactly half of the time." if informed else ""
    asked = f"This is private: nobody else will see it.{even} How likely is it that you win this debate?"
    return await chance(mind.models[side], problem, "private-bet", _situation(problem, side, record) + asked)
