"""Is the model unsure of what it says, or only of how to say it?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np

from nosce.monitor.equivalence import CONTRADICTION, ENTAILMENT, NEUTRAL, Entails
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics

Alternatives = Sequence[tuple[str, float]]


@measure("claim-conditioned-probability", needs={"logprobs", "top", "entails"})
def claim_conditioned_probability(stats: Statistics) -> float:
    """Probability of the meaning that was chosen among the alternatives that would have kept to the same kind of claim.

    Rule: Π_t P(alternatives that entail the chosen token)/P(those that entail or contradict it); neutral ones are another claim
    and do not count. One of both directions is enough unless they oppose each other. In [0, 1], higher is surer.
    lm-polygraph's ClaimConditionedProbability.
    """
    first = stats.attempts[0]
    known = first.top or ()
    drawn = (first.logprobs or ())[-len(known) :]  # after a tool's result only the last tokens have alternatives
    rows = [_chosen_first(row, chosen) for row, chosen in zip(known, drawn, strict=False) if row]
    labels = _labels(rows, stats.entails) if stats.entails else {}
    return exp(min(0.0, sum(_kept(row, labels) for row in rows)))


def _chosen_first(row: Alternatives, chosen: float) -> list[tuple[str, float]]:
    """The alternatives with the token that was drawn in front: the one with its log-probability, to five digits."""
    at = int(np.argmin([abs(logprob - chosen) for _, logprob in row]))
    if abs(row[at][1] - chosen) > 2e-5:
        return [("", chosen), *row]
    return [row[at], *row[:at], *row[at + 1 :]]


def _labels(rows: Sequence[Alternatives], entails: Entails) -> dict[tuple[str, str], int]:
    """The likeliest relation of every ordered pair that is asked about, each asked once."""
    asked = {(bare(row[0][0]), bare(word)) for row in rows for word, _ in row}
    pairs = sorted(asked | {(b, a) for a, b in asked})
    return dict(zip(pairs, np.asarray(entails(pairs)).argmax(axis=1).tolist(), strict=True))


def bare(token: str) -> str:
    """A token without the blanks and punctuation around it: what the entailment model is shown."""
    return token.strip(" \n.,;:!?\"'()")


def _kept(row: Alternatives, labels: dict[tuple[str, str], int]) -> float:
    """Log of the share that entails, of one token."""
    head = bare(row[0][0])
    mass = {ENTAILMENT: exp(row[0][1]), CONTRADICTION: 0.0, NEUTRAL: 0.0}
    for word, logprob in row[1:]:
        mass[_joined(labels[head, bare(word)], labels[bare(word), head])] += exp(logprob)
    return float(np.log(mass[ENTAILMENT]) - np.log(mass[ENTAILMENT] + mass[CONTRADICTION]))


def _joined(forward: int, backward: int) -> int:
    """One relation of two directions: what is not neutral wins, opposites cancel."""
    said = {forward, backward} - {NEUTRAL}
    return said.pop() if len(said) == 1 else NEUTRAL
