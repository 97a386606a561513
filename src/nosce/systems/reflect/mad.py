"""S070 MAD: two sides argue tit for tat, a judge breaks off when one is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.reflect.preferring import preferred

DISAGREE = "You are the other side of a debate. You do not share the answer above: say what is wrong with it and what is right."
REPLY = "You are in a debate. Answer the other side's last turn, above: hold your position or change it, and give your reasons."
UNDECIDED = "Neither side has made its case yet: let them go on."

CLAIM = Claim(
    statement="Accuracy above one thought and above self-reflection at matched tokens, and an answer that was wrong at first "
    "changes more often than under self-reflection.",
    endpoint="accuracy_at_cost", baseline="self-consistency", taught=True, fidelity="code",
)  # fmt: skip


@strategy("S070", "mad", needs={"roster"}, acts={"think", "argue|verify"}, claim=CLAIM)
async def multi_agent_debate(problem: Problem, mind: Mind, *, rounds: int = 3, lead: float = 0.3) -> Answer:
    """An affirmative and a negative side debate for at most `rounds` rounds; a judge ends it as soon as it can decide.

    Rule: the affirmative side answers; the negative one is shown that and told to disagree; later each is shown the other's
    last turn. After each round the judge names the side that is right, or neither (the adaptive break: a name ends the
    debate). If it never does, the two first statements alone are judged. Sides that come to agree end it too. Roles of the
    roster: `affirmative`, `negative`, `judge`. A model that does not `argue` debates by answers: each side thinks with the other's
    answer as a note, and the judge names the side whose attempt it verifies with at least `lead` more probability. Confidence
    is the share of all turns that end in the answer given.
    Source: S070 "Encouraging Divergent Thinking in Large Language Models through Multi-Agent Debate". Left open and filled: the
    wording, with disagreement asked of the opening alone (the modest level). The bundled model was taught to verify and
    to use notes, not to debate.
    """
    affirmative, negative = mind.models["affirmative"], mind.models["negative"]
    turns = [(await affirmative.think(problem))[0]]
    _decided(problem, mind, turns, turns[0])
    turns.append(await _turn(problem, negative, turns[-1], DISAGREE))
    for number in range(rounds):
        if number:
            turns.append(await _turn(problem, affirmative, turns[-1], REPLY))
            turns.append(await _turn(problem, negative, turns[-1], REPLY))
        winner = await _judged(problem, mind, turns[-2], turns[-1], lead, final=False)
        if winner is not None:
            mind.decide("stop", "the debate is decided", rounds=number + 1)
            return _decided(problem, mind, turns, winner)
    winner = await _judged(problem, mind, turns[0], turns[1], 0.0, final=True)
    mind.decide("stop", "undecided: the first statements are judged", rounds=rounds)
    return _decided(problem, mind, turns, winner or turns[0])


async def _turn(problem: Problem, side: Mind, opponent: Attempt, instruction: str) -> Attempt:
    """What a side says to its opponent's last turn, with the answer read out of it."""
    if "argue" not in side.dialect.acts:
        return (await side.think(problem, notes=[opponent.answer] if opponent.answer else []))[0]
    given = Given(attempts=(opponent,), instruction=instruction)
    said = (await side.attempts("argue", problem, given))[0]
    return replace(said, answer=side.dialect.read("think", said, problem, given))


async def _judged(problem: Problem, mind: Mind, a: Attempt, b: Attempt, lead: float, *, final: bool) -> Attempt | None:
    """The turn that is right, None while that is open. At the end one of the two is named."""
    if a.answer is not None and b.answer is not None and problem.same(a.answer, b.answer):
        return a
    return await preferred(problem, mind.models["judge"], a, b, lead=lead, undecided="" if final else UNDECIDED)


def _decided(problem: Problem, mind: Mind, turns: Sequence[Attempt], winner: Attempt) -> Answer:
    value = winner.answer
    if value is None:
        value = next((turn.answer for turn in turns if turn.answer is not None), None)
    said = [turn.answer for turn in turns if turn.answer is not None]
    share = sum(problem.same(value, other) for other in said) / len(turns) if value is not None else None
    return mind.answer(value, share, "samples")
