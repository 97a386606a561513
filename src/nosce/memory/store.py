"""A small store of text: what was learned, when it applies, where it came from, how far it is trusted."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nosce.core.errors import InputError

_TERM = re.compile(r"\d+|[^\W\d]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing learned.

    key: what it is found by (usually the question it was learned on); text: what is shown; source: where it came from (a
    problem's id, a trace); kind: what it is (`behavior`, `record`, `lesson`, `tip`); trust in [0, 1].
    """

    key: str
    text: str
    source: str = ""
    kind: str = ""
    trust: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.trust <= 1:
            raise InputError(f"trust {self.trust} of {self.text[:40]!r}: expected a number in [0, 1]")


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was retrieved, and its similarity to the query in (0, 1]."""

    item: Item
    similarity: float


@dataclass(slots=True)
class Store:
    """Items in the order in which they came, each (kind, key, text) once; found by TF-IDF cosine similarity to their key.

    Rule: a text's vector has (1 + log tf) · log(1 + N / df) per term (a number, a word or a mark); df counts the N keys. The
    score is the cosine times the item's trust; ties go to the earlier item.
    """

    items: list[Item] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        """Append items; one that is there already keeps its place, and the lower trust."""
        for item in items:
            place = next((i for i, old in enumerate(self.items) if _same(old, item)), None)
            if place is None:
                self.items.append(item)
            elif item.trust < self.items[place].trust:
                self.items[place] = item

    def search(self, query: str, most: int = 5, *, kind: str | None = None, least: float = 1e-9) -> list[Found]:
        """At most `most` items with a score of at least `least`, best first; items without any trust are never found."""
        pool = [item for item in self.items if kind in (None, item.kind)]
        held = [Counter(terms(item.key)) for item in pool]
        seen = Counter(term for counts in held for term in counts)
        weight = {term: math.log(1 + len(pool) / df) for term, df in seen.items()}
        asked = _vector(Counter(terms(query)), weight)
        scores = (item.trust * _cosine(asked, _vector(counts, weight)) for item, counts in zip(pool, held, strict=True))
        found = [Found(item, min(1.0, score)) for item, score in zip(pool, scores, strict=True) if score >= least]
        return sorted(found, key=lambda f: -f.similarity)[:most]

    def distrust(self, items: Iterable[Item], factor: float = 0.0) -> None:
        """Multiply the trust of these items by `factor`."""
        gone = list(items)
        self.items = [replace(i, trust=i.trust * factor) if any(_same(i, g) for g in gone) else i for i in self.items]

    def to_data(self) -> list[dict[str, Any]]:
        """Plain data, as an artifact holds it."""
        return [asdict(item) for item in self.items]

    @classmethod
    def from_data(cls, data: Sequence[dict[str, Any]]) -> Store:
        """The inverse of `to_data`."""
        return cls([Item(**item) for item in data])


def _same(a: Item, b: Item) -> bool:
    return (a.kind, a.key, a.text) == (b.kind, b.key, b.text)


def terms(text: str) -> list[str]:
    """The terms of a text: numbers, words and marks."""
    return _TERM.findall(text.lower())


def _vector(counts: Counter[str], weight: dict[str, float]) -> dict[str, float]:
    return {term: (1 + math.log(n)) * weight[term] for term, n in counts.items() if term in weight}


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    length = math.sqrt(sum(x * x for x in a.values()) * sum(x * x for x in b.values()))
    return sum(x * b[term] for term, x in a.items() if term in b) / length if length else 0.0
