"""S055 SRGen: before an uncertain token, correct its distribution by a vector trained on what has been written."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from nosce.control.decoding import Floats, shaped
from nosce.control.entropy_descent import descend
from nosce.core.answer import Answer
from nosce.core.claim import Claim
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind
from nosce.models.base import DecodeSession
from nosce.monitor.likelihood import sequence_confidence

CLAIM = Claim(
    statement="One corrected thought is right more often than a plain one, and than one corrected at random positions.",
    endpoint="accuracy", baseline="think", fidelity="code",
)  # fmt: skip


@strategy("S055", "srgen", needs={"session"}, acts={"think"}, claim=CLAIM)
async def self_reflective_generation(
    problem: Problem, mind: Mind, *, window: int = 20, k: float = 2.0, floor: float = 0.5, spread: float = 0.1,
    first: float = 0.8, weight: float = 0.05, rate: float = 0.01, steps: int = 3, most: int = 20,
) -> Answer:  # fmt: skip
    """One thought; at each token whose entropy stands out, a vector δ on the last hidden state is trained, used and dropped.

    Rule: correct when H_t > max(`floor`, mean_N + k · max(std_N, `spread`)) over the last N = `window` entropies (`first`
    until N are there), at most `most` times. δ from 0, `steps` of AdamW at `rate`, minimises (1 − λ) · CE on what has
    been written + λ · entropy here, λ = `weight`; the token is drawn from softmax(W(f + δ)).
    Source: S055 "Self-Reflective Generation at Test Time". Left open and filled: CE runs over the written thought and not
    over the question, whose states a session does not keep; the source's thresholds (floor 1.8, spread .5, k 4, first 3.0
    nats, N 25) suit large vocabularies, those here one of about 200 tokens. No second reading of the prefix is needed.
    """
    name = f"srgen({window},{k},{floor},{spread},{first},{weight},{rate},{steps},{most})"
    corrections: list[int] = []

    def begin(session: DecodeSession) -> Corrector:
        return Corrector(Threshold(window, k, floor, spread, first), weight, rate, steps, most, corrections)

    attempt = (await shaped(mind, name, begin).think(problem))[0]
    mind.decide("act", "corrected uncertain tokens", positions=corrections)
    return mind.answer(attempt.answer, sequence_confidence(attempt), "logprobs")


@dataclass
class Threshold:
    """The dynamic entropy threshold: remembers the last entropies (nats)."""

    window: int
    k: float
    floor: float
    spread: float
    first: float
    seen: deque[float] = field(default_factory=deque)

    def exceeded(self, entropy: float) -> bool:
        """Whether this entropy stands out from those before it; then it joins them."""
        bar = self.first
        if len(self.seen) >= self.window:
            bar = max(self.floor, float(np.mean(self.seen)) + self.k * max(float(np.std(self.seen)), self.spread))
            self.seen.popleft()
        self.seen.append(entropy)
        return entropy > bar


class Corrector:
    """The shape of one thought: logits W(f + δ) where the threshold is exceeded, plain logits elsewhere."""

    def __init__(self, threshold: Threshold, weight: float, rate: float, steps: int, most: int, corrections: list[int]) -> None:
        self._threshold, self._weight, self._rate, self._steps, self._most = threshold, weight, rate, steps, most
        self._corrections = corrections
        self._states: list[Floats] = []  # [d] each: what each written token was drawn from

    def __call__(self, session: DecodeSession, written: Sequence[int]) -> Floats:
        """Logits [V] for the next token."""
        logits, here = session.logits, session.final_hidden
        log_p = special.log_softmax(logits.astype(np.float64))
        if self._threshold.exceeded(float(-(np.exp(log_p) @ log_p))) and len(self._corrections) < self._most:
            self._corrections.append(len(written))
            logits = logits + self._shift(session, here, written)
        self._states.append(here)
        return logits

    def _shift(self, session: DecodeSession, here: Floats, written: Sequence[int]) -> Floats:
        """W δ [V]."""
        head = session.lm_head.astype(np.float64)
        states = np.array(self._states, dtype=np.float64).reshape(len(written), len(here))
        targets = np.asarray(written, dtype=np.int64)
        delta = descend(head, states, targets, here.astype(np.float64), weight=self._weight, rate=self._rate, steps=self._steps)
        shift: Floats = (head @ delta).astype(np.float32)
        return shift
