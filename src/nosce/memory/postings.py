"""Which of many kept texts a question is like: built once, asked often."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from nosce.memory.store import terms


class Postings:
    """Texts by their terms, found by TF-IDF cosine similarity as in `Store`, with the question counted as one more text.

    So a term that no kept text has weighs against a likeness: `12 of 9` and `12 of 8` are less than the same.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(terms(text)) for text in texts]
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, counts in enumerate(self._counts):
            for term in counts:
                self._having[term].append(place)

    def nearest(self, question: str, most: int, least: float) -> list[tuple[int, float]]:
        """(place, similarity) of at most `most` texts that are at least `least` alike, best first, then the earlier."""
        asked = Counter(terms(question))
        places = sorted({place for term in asked for place in self._having.get(term, ())})
        scored = [(place, self._cosine(asked, self._counts[place])) for place in places]
        return sorted(((p, s) for p, s in scored if s >= max(least, 1e-9)), key=lambda pair: -pair[1])[:most]

    def _cosine(self, asked: Counter[str], other: Counter[str]) -> float:
        weight = {term: self._weight(term, asked) for term in {*asked, *other}}
        a = {term: (1 + math.log(n)) * weight[term] for term, n in asked.items()}
        b = {term: (1 + math.log(n)) * weight[term] for term, n in other.items()}
        length = math.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values()))
        return min(1.0, sum(x * b[term] for term, x in a.items() if term in b) / length) if length else 0.0

    def _weight(self, term: str, asked: Counter[str]) -> float:
        return math.log(1 + (len(self._counts) + 1) / (len(self._having.get(term, ())) + (term in asked)))
