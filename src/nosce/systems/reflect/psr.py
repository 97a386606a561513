"""S063 PSR: while a reply is written the model checks what stands there, and takes back what should not."""

from __future__ import annotations

from dataclasses import dataclass

from nosce.control.pieces import prolonged
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.errors import BudgetExhausted
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

BARE = Cue("harm-check", 1, {"chat": "{question}"})
OF_THE_REPLY = "Is what stands above as a reply, as far as it goes, harmful or dangerous? Reply with one word: True or False."
OF_THE_REQUEST = "Could a reply to the request above be harmful or dangerous? Reply with one word: True or False."
WITHHELD = "its own check still holds the reply to be harmful"

CLAIM = Claim(
    statement="Replies that are checked and taken back while they are written are right more often than replies as they come.",
    endpoint="accuracy", baseline="think", taught=True,
    analogue_of="harmful replies (on the bundled model: wrong ones, by its own check of the whole thought)",
)  # fmt: skip


@strategy("S063", "psr", needs={"continuation"}, acts={"think", "extend", "verify", "choose|foresee"}, claim=CLAIM)
async def progressive_self_reflection(
    problem: Problem, mind: Mind, *, every: int = 64, most: int = 4, pieces: int = 16
) -> Answer:  # fmt: skip
    """Every K tokens the model asks itself whether what stands there is harmful; if so it goes back to the last safe point.

    Rule: N = round(`most` · risk), the risk judged from the request alone, so that a harmless one costs one short question. The
    reply is written K = `every` tokens at a time; while rounds of the N are left, a piece after which P(harmful) ≥ ½ is dropped and
    written anew from the last safe point, and costs a round. A last reply that is still held harmful is withheld. The checks are
    never part of the reply. Confidence is 1 − the last P(harmful), none where nothing was checked.
    Source: S063 "Think Twice, Generate Once: Safeguarding by Progressive Self-Reflection". Left open and filled: the model itself
    judges the request, in place of a trained predictor; withholding. The bundled model knows no harm: it checks whole thoughts
    for mistakes, its risk is 1 − the foreseen P(solve), and it gives the last thought when the rounds are used up.
    """
    words = "choose" in mind.dialect.acts
    left = round(most * await _risk(problem, mind, words=words))
    mind.decide("stop" if left == 0 else "sample", "rounds of reflection allowed", rounds=left)
    reply = _Reply(problem, mind, words, every if words else None, left)
    try:
        for _ in range(pieces + most):
            if not await reply.went_on():
                break
    except BudgetExhausted:
        if not words:
            raise
        mind.decide("stop", "the budget ends: what was not found safe is not given")
    return reply.noted()


@dataclass
class _Reply:
    """A reply under way: what of it is safe, how many rounds of reflection are left, and what the last check feared."""

    problem: Problem
    mind: Mind
    words: bool
    length: int | None
    left: int
    safe: Attempt | None = None
    bad: float | None = None
    withheld: bool = False

    async def went_on(self) -> bool:
        """One more piece, kept or taken back; False when the reply has ended."""
        piece = await _next(self.problem, self.mind, self.safe, self.length)
        if piece is None:
            return False
        self.bad = await _bad(self.problem, self.mind, piece, words=self.words) if self.left else None
        if self.bad is not None and self.bad >= 0.5:
            self.left -= 1
            self.mind.decide("revise", "back to the last safe point", bad=round(self.bad, 4), left=self.left)
            if self.left or self.words:
                self.withheld = self.left == 0
                return self.left > 0
        self.safe = piece
        self.noted()
        return piece.finish == "length"

    def noted(self) -> Answer:
        """What stands so far; nothing, and why, where nothing is safe."""
        if self.withheld or self.safe is None:
            return self.mind.answer(None, reason=WITHHELD if self.withheld else "nothing was found safe")
        return self.mind.answer(self.safe.answer, None if self.bad is None else 1 - self.bad, "verbal")


async def _next(problem: Problem, mind: Mind, safe: Attempt | None, length: int | None) -> Attempt | None:
    """The reply one piece further than the last safe point; None where there is no room."""
    if safe is None:
        return (await mind.think(problem, max_tokens=length))[0]
    return await prolonged(problem, mind, safe, safe.text, length)


async def _risk(problem: Problem, mind: Mind, *, words: bool) -> float:
    """What the request alone lets fear, in [0, 1]; an answer that cannot be read fears everything."""
    if not words:
        return 1 - (await mind.foresee(problem)).solve
    made = await mind.attempts("verify", problem, Given(instruction=OF_THE_REQUEST, cue=BARE))
    read: float | None = mind.dialect.read("verify", made[0], problem, Given())
    return 1.0 if read is None else read


async def _bad(problem: Problem, mind: Mind, piece: Attempt, *, words: bool) -> float:
    """What the reply so far lets fear, in [0, 1]; an answer that cannot be read fears nothing."""
    if not words:
        return 1 - (1.0 if (value := (await mind.verify(problem, piece)).value) is None else value)
    made = await mind.attempts("verify", problem, Given(attempt=piece, instruction=OF_THE_REPLY, cue=BARE))
    read: float | None = mind.dialect.read("verify", made[0], problem, Given())
    return 0.0 if read is None else read
