"""Putting a yes-or-no question about its own answer to a model: keep or withdraw, bet or decline, answer or pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from nosce.core.attempt import Attempt
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.signal import Signal
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.engine import UNKNOWN
from nosce.mind.mind import Mind

AS_PERCENT = "Reply with one number in the form\nConfidence: <0 to 100>%"
UNSURE = ("unknown", "i don't know", "i do not know", "cannot be known", "not known", "cannot tell", "unanswerable")


@dataclass(frozen=True)
class Probe:
    """A forced choice between two words about an answer (or, before one, about the question).

    A chat model reads `question` and says `yes` or `no`, and nothing is inferred from numbers. A model without words is asked the
    act `act` instead, really, and its reply is cut at `threshold`, the chance of being right at which both options are worth
    the same: `verify` (its written verdict), `rate` (its stated confidence) or `foresee` (before it tries).
    """

    name: str
    question: str
    yes: str
    no: str
    act: Literal["verify", "rate", "foresee"]
    threshold: float = 0.5
    version: int = 1

    @property
    def cue(self) -> Cue:
        """The wording as a cue: the question alone, then what was answered, then the probe."""
        return Cue(self.name, self.version, {"chat": "{question}"})


KEEP = Probe(
    "keep-or-withdraw",
    "You gave the answer above. Decide whether it counts. A right answer that is kept earns a point, a wrong one that is kept "
    "costs a point, a withdrawn one does neither. Reply with one word: KEEP or WITHDRAW.",
    "KEEP", "WITHDRAW", "verify",
)  # fmt: skip
BET = Probe(
    "bet-or-decline",
    "You may bet on the answer above at even odds: you win the stake if it is right and lose it if it is wrong. "
    "Reply with one word: BET or DECLINE.",
    "BET", "DECLINE", "rate",
)  # fmt: skip
TRY = Probe(
    "answer-or-pass",
    "Do not answer yet. A right answer will earn a point and a wrong one nothing; passing earns half a point for sure. "
    "Reply with one word: ANSWER or PASS.",
    "ANSWER", "PASS", "foresee",
)  # fmt: skip


async def asked(
    mind: Mind, problem: Problem, probe: Probe, attempt: Attempt | None = None, **sampling: Any
) -> bool | None:
    """Whether the model chose `yes`; None when it named neither. Raises CapabilityError when it has no act to be asked by."""
    if "choose" in mind.dialect.acts:
        given = Given(attempt=attempt, instruction=probe.question, cue=probe.cue)
        made = await mind.attempts("choose", problem, given, **sampling)
        return read(made[0].text, probe)
    if probe.act not in mind.dialect.acts:
        raise CapabilityError(f"act choose or {probe.act}", mind.model.spec, "a chat model")
    return await _cut(mind, problem, probe, attempt)


def read(text: str, probe: Probe) -> bool | None:
    """Whether a reply says `yes`: by the last of the two words that stands in it, None where neither does."""
    said = re.findall(rf"\b({probe.yes}|{probe.no})\b", text, re.I)
    return said[-1].upper() == probe.yes if said else None


async def _cut(mind: Mind, problem: Problem, probe: Probe, attempt: Attempt | None) -> bool | None:
    if probe.act == "foresee" or attempt is None:
        return (await mind.foresee(problem)).solve >= probe.threshold
    signal: Signal = await (mind.verify(problem, attempt) if probe.act == "verify" else mind.rate(problem, attempt))
    return None if signal.value is None else signal.value >= probe.threshold


async def said(mind: Mind, problem: Problem, name: str, wording: str, *, act: str = "recall", **sampling: Any) -> str:
    """What the model writes when it is told `wording` and nothing else (`{question}` stands for the problem). Chat models alone."""
    cue = Cue(name, 1, {"chat": wording})
    return (await mind.attempts(act, problem, Given(cue=cue), **sampling))[0].text.strip()


async def chance(mind: Mind, problem: Problem, name: str, wording: str) -> float | None:
    """A probability in [0, 1] that the model states when it is told `wording`, None where it states none. Chat models alone."""
    made = await mind.attempts("rate", problem, Given(cue=Cue(name, 1, {"chat": f"{wording} {AS_PERCENT}"})))
    value: float | None = mind.dialect.read("rate", made[0], problem, Given())
    return value


def gave_up(answer: str | None) -> bool:
    """Whether an answer says that it is not known; no answer at all counts too."""
    said = (answer or UNKNOWN).strip().lower().strip(".!")
    return any(said == words or said.startswith(f"{words} ") for words in UNSURE)
