"""Which attempts say the same: by the problem's own matcher, an embedding, an entailment model, or the model's judgement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.vote import tally
from nosce.monitor.similarity import Embed, cosines, hashed_ngrams

Ints = NDArray[np.int64]
Sameness = Callable[[Problem, Sequence[Attempt]], Ints]
"""Attempts [n] to the number of each one's class [n]: equal numbers say the same; numbered in order of appearance."""

Entails = Callable[[Sequence[tuple[str, str]]], NDArray[Any]]
"""Pairs (premise, hypothesis) [m] to probabilities [m, 3] of entailment, neutrality and contradiction: the user's NLI model."""

View = Literal["text", "answer"]
"""What of an attempt is compared: all of its text, or its answer alone."""

ENTAILMENT, NEUTRAL, CONTRADICTION = 0, 1, 2


def matching(problem: Problem, attempts: Sequence[Attempt]) -> Ints:
    """Equal answers by the problem's Equivalence. An attempt without an answer agrees with no other."""
    classes = -np.ones(len(attempts), dtype=np.int64)
    for number, bloc in enumerate(tally(problem, [attempt.answer for attempt in attempts])):
        classes[list(bloc.members)] = number
    alone = classes < 0
    classes[alone] = len(attempts) + np.arange(alone.sum())
    return numbered(classes)


def compared(attempts: Sequence[Attempt], view: View = "text") -> list[str]:
    """What is compared of every attempt [n]: its text, or its answer (its text where it has none)."""
    return [a.text if view == "text" or a.answer is None else a.answer for a in attempts]


def embedded(least: float = 0.9, embed: Embed = hashed_ngrams, view: View = "text") -> Sameness:
    """Texts (or answers) whose cosine is at least `least`."""

    def same(problem: Problem, attempts: Sequence[Attempt]) -> Ints:
        return grouped(cosines(embed(compared(attempts, view))) >= least)

    return same


def entailed(entails: Entails, view: View = "text") -> Sameness:
    """Texts (or answers) that entail each other: in both directions entailment is the likeliest of the three."""

    def same(problem: Problem, attempts: Sequence[Attempt]) -> Ints:
        return grouped(mutual(entailment(entails, compared(attempts, view))))

    return same


def tied(entails: Entails, view: View = "text") -> Sameness:
    """Texts (or answers) tied, directly or through others, by entailment likelier than contradiction in both directions."""

    def same(problem: Problem, attempts: Sequence[Attempt]) -> Ints:
        return connected(unopposed(entailment(entails, compared(attempts, view))))

    return same


def entailment(entails: Entails, texts: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities [n, n, 3] of every ordered pair; equal texts are asked about once."""
    unique = list(dict.fromkeys(texts))
    pairs = [(a, b) for a in unique for b in unique]
    table = np.asarray(entails(pairs), dtype=np.float64).reshape(len(unique), len(unique), 3)
    place = np.array([unique.index(text) for text in texts])
    return np.asarray(table[np.ix_(place, place)])


def mutual(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each pair entails one another [n, n], from probabilities [n, n, 3]."""
    yes = probabilities.argmax(axis=-1) == ENTAILMENT
    return np.asarray(yes & yes.T)


def unopposed(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether entailment is likelier than contradiction both ways [n, n], from probabilities [n, n, 3]."""
    yes = probabilities[..., ENTAILMENT] > probabilities[..., CONTRADICTION]
    return np.asarray(yes & yes.T)


def connected(same: NDArray[np.bool_]) -> Ints:
    """Classes [n]: the connected components of the graph of sameness [n, n]."""
    reach = same | np.eye(len(same), dtype=bool)
    for _ in range(max(1, len(same)).bit_length()):
        reach = reach @ reach
    return numbered(reach.argmax(axis=1))


def grouped(same: NDArray[np.bool_]) -> Ints:
    """Classes [n] from pairwise sameness [n, n]: each joins the first class whose first member it equals."""
    classes, heads = np.empty(len(same), dtype=np.int64), list[int]()
    for i, row in enumerate(same):
        classes[i] = next((number for number, head in enumerate(heads) if row[head]), len(heads))
        if classes[i] == len(heads):
            heads.append(i)
    return classes


def numbered(labels: Ints) -> Ints:
    """The same classes, numbered in order of first appearance."""
    seen: dict[int, int] = {}
    return np.array([seen.setdefault(label, len(seen)) for label in labels.tolist()], dtype=np.int64)
