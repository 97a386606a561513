"""Is the model unsure of what it says, or only of how to say it?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from math import exp

import numpy as np

from nosce.monitor.equivalence import CONTRADICTION, ENTAILMENT, NEUTRAL, Entails, Ints
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
    known = [row for row in stats.attempts[0].top or () if row]
    drawn = (stats.attempts[0].logprobs or ())[-len(known) :]  # after a tool's result only the last tokens have alternatives
    rows = [_drawn_first(row, logprob) for row, logprob in zip(known[-len(drawn) :], drawn, strict=True)]
    return exp(min(0.0, _kept(rows, stats.entails))) if stats.entails else 1.0


def _drawn_first(row: Alternatives, drawn: float) -> Alternatives:
    """The alternatives with the token that was drawn in front: the one with its log-probability, to five digits."""
    if abs(row[0][1] - drawn) < 2e-5:
        return row
    at = min(range(len(row)), key=lambda i: abs(row[i][1] - drawn))
    return [row[at], *row[:at], *row[at + 1 :]] if abs(row[at][1] - drawn) < 2e-5 else [("", drawn), *row]


def _kept(rows: Sequence[Alternatives], entails: Entails) -> float:
    """Log of the share that entails among what entails or contradicts, summed over tokens."""
    sizes = [len(row) for row in rows]
    starts = np.cumsum([0, *sizes[:-1]])
    place: defaultdict[str, int] = defaultdict(count().__next__)
    ids = np.array([place[text] for row in rows for text, _ in row])
    joined = _relations(np.repeat(ids[starts], sizes), ids, [bare(text) for text in place], entails)
    joined[starts] = ENTAILMENT
    p = np.exp([logprob for row in rows for _, logprob in row])
    yes = np.add.reduceat(p * (joined == ENTAILMENT), starts)
    no = np.add.reduceat(p * (joined == CONTRADICTION), starts)
    return -float(np.log1p(no / yes).sum())


def _relations(heads: Ints, ids: Ints, words: Sequence[str], entails: Entails) -> Ints:
    """The relation of each alternative to the token drawn, both directions joined; every pair of tokens is asked about once."""
    size = len(words)
    forward, backward = heads * size + ids, ids * size + heads
    table = np.zeros(size * size, dtype=np.int64)
    table[forward] = table[backward] = 1
    codes = np.flatnonzero(table)
    asked = [(words[code // size], words[code % size]) for code in codes.tolist()]
    table[codes] = np.asarray(entails(asked)).argmax(axis=1)
    return np.asarray(JOINED[table[forward], table[backward]])


def bare(token: str) -> str:
    """A token without the blanks and punctuation around it: what the entailment model is shown."""
    return token.strip(" \n.,;:!?\"'()")


JOINED = np.full((3, 3), NEUTRAL)
"""One relation of two directions: what is not neutral wins, opposites cancel."""
for _said in (ENTAILMENT, CONTRADICTION):
    JOINED[_said, [_said, NEUTRAL]] = JOINED[NEUTRAL, _said] = _said
