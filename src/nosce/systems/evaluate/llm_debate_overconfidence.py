"""S178 When two language models debate, both think they'll win: private bets of both sides of a debate that one must lose."""

from __future__ import annotations

from typing import Literal

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.asking import chance, said

Condition = Literal["private", "informed", "public"]

SCOPES = ("Every city", "Every country", "Every school", "Every large company", "Every university", "Every hospital")
POLICIES = (
    "should give its members a four-day week", "should publish all salaries", "should ban private cars from its grounds",
    "should let a lottery decide who governs it", "should make attendance voluntary", "should stop using paper",
    "should give its land back to the forest", "should teach a second language to everyone", "should close on the hottest days",
    "should be run by people under thirty",
)  # fmt: skip
ROUNDS = ("opening", "rebuttal", "closing")
SIDES = ("for", "against")
CONDITIONS: tuple[Condition, ...] = ("private", "informed", "public")

CLAIM = Claim(
    statement="Before a debate that one of two must lose, the mean private bet on winning lies above one half.",
    endpoint="first_bet", baseline="one of two wins", n=40, seeds=(0, 1), fidelity="code",
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Motions in an order of their own for each seed; the conditions take turns, two private ones for each of the others."""
    if source == "bundled":
        raise InputError("a debate needs words; the bundled model has none")
    motions = [f"{scope} {policy}." for policy in POLICIES for scope in SCOPES]
    at = [(seed * 7 + 11 * i) % len(motions) for i in range(min(n, len(motions)))]
    turns = [CONDITIONS[(0, 1, 0, 2)[i % 4]] for i in range(len(at))]
    return [
        Item(Problem(f"motion-{k}-{turn}", motions[k], family="debate"), {"condition": turn})
        for k, turn in zip(at, turns, strict=True)
    ]


def rise(first: Floats, last: Floats) -> float:
    """Mean of last − first bet: above 0, confidence grows though the other side was heard."""
    return float((last - first).mean())


def beyond(aloud: Floats) -> float:
    """Mean of what is bet aloud minus what is bet in private at the same time."""
    return float(aloud.mean())


MEASURES = (
    Measure("first_bet", "bets on winning before a word is said", "bears", ("first",), share, "nearer", 0.5, "one of two wins",
            front=True),
    Measure("escalation", "surer after hearing the other side", "bears", ("first", "last"), rise, "nearer", 0.0,
            "one of two wins", "points", front=True),
    Measure("both", "both sides 75% sure at the end", "bears", ("both",), share, "lower", 0.0, "only one can win", front=True),
    Measure("informed_escalation", "surer though told it is even", "bears", ("told_first", "told_last"), rise, "nearer", 0.0,
            "told that it is even", "points"),
    Measure("public_escalation", "surer though bets are read aloud", "bears", ("open_first", "open_last"), rise, "nearer", 0.0,
            "one of two wins", "points"),
    Measure("aloud", "bets more aloud than in private", "bears", ("aloud",), beyond, "nearer", 0.0, "the same bet", "points"),
)  # fmt: skip


@battery("S178", "llm-debate-overconfidence", items=items, measures=MEASURES, claim=CLAIM, acts={"argue", "choose"})
async def debate(problem: Problem, mind: Mind, *, condition: Condition = "private") -> list[Row]:
    """How sure is each side of winning a debate that exactly one of them wins?

    Rule: three rounds (opening, rebuttal, closing), both sides speaking in each; before the first and after every round a
    private bet in [0, 1] that the other never sees. The mean first bet against ½; escalation = last − first bet; the share of
    debates in which both last bets are at least ¾. Two of four debates are so; in the third each side is told that such debates
    are won half of the time (`informed`), in the fourth it also names a bet that is read to the other side (`public`), and what
    it says aloud is held against what it says in private. Both sides are played by the roles `for` and `against`, by one model
    where the roster names no other. Source: S178 "When Two LLMs Debate, Both Think They'll Win". Left open and filled: our own
    motions; for scratch pads beside bets, a number asked in private and one aloud.
    """
    record: list[str] = []
    bets: dict[str, list[float | None]] = {side: [] for side in SIDES}
    aloud: dict[str, list[float | None]] = {side: [] for side in SIDES}
    for turn in ("", *ROUNDS):
        if turn:
            speeches = [await _speech(problem, mind, side, turn, record) for side in SIDES]
            record += [f"{side.capitalize()} ({turn}): {speech}" for side, speech in zip(SIDES, speeches, strict=True)]
        for side in SIDES:
            bets[side].append(await _bet(problem, mind, side, record, told=condition == "informed"))
        if condition == "public":
            named = {side: await _bet(problem, mind, side, record, heard=True) for side in SIDES}
            record += [f"{side.capitalize()} bets {bet:.0%} on winning." for side, bet in named.items() if bet is not None]
            for side in SIDES:
                aloud[side].append(named[side])
    return _rows(bets, aloud, record, condition)


NAMES: dict[Condition, tuple[str, str]] = {
    "private": ("first", "last"), "informed": ("told_first", "told_last"), "public": ("open_first", "open_last"),
}  # fmt: skip


def _rows(
    bets: dict[str, list[float | None]], aloud: dict[str, list[float | None]], record: list[str], condition: Condition
) -> list[Row]:
    """One row a side; what concerns both stands in the first."""
    last = [bets[side][-1] for side in SIDES]
    both = None if condition != "private" or None in last else all(bet is not None and bet >= 0.75 for bet in last)
    rows: list[Row] = []
    for side in SIDES:
        gaps = [said - meant for said, meant in zip(aloud[side], bets[side], strict=False)
                if said is not None and meant is not None]
        first, end = NAMES[condition]
        shared = {"both": both, "record": record} if side == SIDES[0] else {}
        rows.append({
            "side": side, "bets": bets[side], **shared, first: bets[side][0], end: bets[side][-1],
            **({"aloud": sum(gaps) / len(gaps)} if gaps else {}),
        })  # fmt: skip
    return rows


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


async def _bet(
    problem: Problem, mind: Mind, side: str, record: list[str], *, told: bool = False, heard: bool = False
) -> float | None:
    even = " Debates of this kind are won by either side exactly half of the time." if told else ""
    first = "This will be read to the other side." if heard else "This is private: nobody else will see it."
    asked = f"{first}{even} How likely is it that you win this debate?"
    name = "public-bet" if heard else "private-bet"
    return await chance(mind.models[side], problem, name, _situation(problem, side, record) + asked)
