"""S073 CyclicReflex: reflection is promoted and suppressed in turn, along a triangular wave."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.control.decoding import Floats, Rule, shaped
from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.models.base import DecodeSession
from nosce.monitor.likelihood import sequence_confidence

CUES = ("wait", "Wait", "but", "But", "alternatively", "Alternatively")
STEPS = tuple(f"<s{k}>" for k in range(2, 13))
ENDS = ("<ans>", "</think>")

CLAIM = Claim(
    statement="Accuracy exceeds plain decoding and a constant penalty at equal most tokens; amplitude zero is plain decoding.",
    endpoint="accuracy", baseline="think", fidelity="code",
    analogue_of="reflection words of a reasoning model (on the bundled model: the marks that begin another step)",
)  # fmt: skip


@strategy("S073", "cyclicreflex", needs={"session"}, acts={"think"}, claim=CLAIM)
async def cyclic_reflex(
    problem: Problem, mind: Mind, *, amplitude: float = 5.0, period: float = 24.0, cues: Sequence[str] = ()
) -> Answer:
    """One thought in which the logits of reflection tokens rise and fall with the position.

    Rule: δ(t) = A · |4((t − C/4) mod C)/C − 2| − A is added to the logits of the cues at the t-th new token, in [−A, A],
    first rising; no more after the thought's end. Cues: wait, but, alternatively with either initial and a leading space
    or none, those that are single tokens; on the bundled model, as an analogue, the marks that begin another step, the
    only tokens that prolong its thoughts. Amplitude 0 is plain decoding, token for token.
    Source: S073 "CyclicReflex: Improving Large Reasoning Models via Cyclical Reflection Token Scheduling", which searches
    A in 1 to 10 and C in 200 to 2000 tokens; thoughts here take about 40, so C is 24 by default; A is 5 as in its code.
    """
    if period <= 0:
        raise InputError(f"period {period}: expected a positive number of tokens")
    words = tuple(cues) or (STEPS if mind.dialect.name.startswith("socrates") else CUES)
    name = f"cyclicreflex({amplitude},{period},{','.join(words)})"
    attempt = (await shaped(mind, name, wave_on(words, amplitude, period)).think(problem))[0]
    return mind.answer(attempt.answer, sequence_confidence(attempt), "logprobs")


def triangle(t: float, amplitude: float, period: float) -> float:
    """δ(t), in [−A, A]: 0 at t = 0, A at C/4, −A at 3C/4."""
    return amplitude * abs(4 * ((t - period / 4) % period) / period - 2) - amplitude


def wave_on(words: Sequence[str], amplitude: float, period: float) -> Rule:
    """The rule that adds δ(t) to the single tokens among the words until the thought ends."""

    def begin(session: DecodeSession) -> _Wave:
        return _Wave(single_tokens(session, words), frozenset(single_tokens(session, ENDS)), amplitude, period)

    return begin


def single_tokens(session: DecodeSession, words: Sequence[str]) -> list[int]:
    """Ids of those words, with or without a leading space, that are one token."""
    forms = [form for word in words for form in ((word,) if word.startswith("<") else (word, f" {word}"))]
    found = [_ids(session, form) for form in forms]
    return sorted({ids[0] for ids in found if len(ids) == 1})


def _ids(session: DecodeSession, text: str) -> list[int]:
    try:
        return session.encode(text)
    except ValueError:  # outside a closed vocabulary
        return []


class _Wave:
    def __init__(self, tokens: Sequence[int], ends: frozenset[int], amplitude: float, period: float) -> None:
        self._tokens, self._ends, self._amplitude, self._period = list(tokens), ends, amplitude, period
        self._over = False

    def __call__(self, session: DecodeSession, written: Sequence[int]) -> Floats:
        """Logits [V] with the wave on the reflection tokens."""
        logits = session.logits
        self._over = self._over or bool(written and written[-1] in self._ends)
        if not self._over and self._amplitude:
            logits[self._tokens] += triangle(len(written), self._amplitude, self._period)
        return logits
