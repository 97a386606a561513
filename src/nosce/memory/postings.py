"""Which of many kept texts a question is like: built once, asked often."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from nosce.memory.store import terms

_NOWHERE = (np.empty(0, np.intp), np.empty(0))


class Postings:
    """Texts by their terms, found by TF-IDF cosine similarity as in `Store`, with the question counted as one more text.

    So a term that no kept text has weighs against a likeness: `12 of 9` and `12 of 8` are less than the same. A term that k of
    n texts have weighs log(1 + (n + 1) / k), where k counts the question if it has the term; c occurrences count 1 + log c.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        having: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, text in enumerate(texts):
            for term, n in Counter(terms(text)).items():
                having[term].append((place, 1 + math.log(n)))
        self._size = len(texts)
        self._having = {t: (np.array([p for p, _ in at], np.intp), np.array([n for _, n in at])) for t, at in having.items()}
        self._squared = np.zeros(self._size)  # lengths of the texts, as long as there is no question
        for places, counts in self._having.values():
            self._squared[places] += (counts * self._weight(len(places))) ** 2

    def nearest(self, question: str, most: int, least: float) -> list[tuple[int, float]]:
        """(place, similarity) of at most `most` texts that are at least `least` alike, best first, then the earlier."""
        dot, squared, own = np.zeros(self._size), self._squared.copy(), 0.0
        for term, n in Counter(terms(question)).items():
            places, counts = self._having.get(term, _NOWHERE)
            weight = self._weight(len(places) + 1)
            asked = (1 + math.log(n)) * weight
            own += asked**2
            if len(places):
                dot[places] += asked * counts * weight
                squared[places] += counts**2 * (weight**2 - self._weight(len(places)) ** 2)
        touched = np.flatnonzero(dot)
        alike = np.minimum(1.0, dot[touched] / np.sqrt(own * squared[touched]))
        order = [i for i in np.argsort(-alike, kind="stable") if alike[i] >= max(least, 1e-9)]
        return [(int(touched[i]), float(alike[i])) for i in order[:most]]

    def _weight(self, having: int) -> float:
        return math.log(1 + (self._size + 1) / having)
