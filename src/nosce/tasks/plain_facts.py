"""Facts that any general model was taught many times, and the same questions about things that do not exist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.streams import stream_key

CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Italy": "Rome", "Spain": "Madrid", "Egypt": "Cairo", "Kenya": "Nairobi", "Peru": "Lima",
    "Cuba": "Havana", "Norway": "Oslo", "Greece": "Athens", "Poland": "Warsaw", "Austria": "Vienna", "Ireland": "Dublin",
    "Portugal": "Lisbon", "Hungary": "Budapest", "Finland": "Helsinki", "Sweden": "Stockholm", "Denmark": "Copenhagen",
    "Thailand": "Bangkok", "Vietnam": "Hanoi", "Canada": "Ottawa", "Iceland": "Reykjavik", "Chile": "Santiago", "Jordan": "Amman",
}  # fmt: skip
SYMBOLS = {
    "gold": "Au", "silver": "Ag", "iron": "Fe", "copper": "Cu", "lead": "Pb", "tin": "Sn", "sodium": "Na", "potassium": "K",
    "mercury": "Hg", "helium": "He", "neon": "Ne", "oxygen": "O", "carbon": "C", "zinc": "Zn", "nickel": "Ni", "calcium": "Ca",
}  # fmt: skip
WORDINGS = {
    "capital": "What is the capital of {name}? Reply with the name alone, or with 'unknown' if there is no such country.",
    "symbol": "What is the chemical symbol of {name}? Reply with the symbol alone, or with 'unknown' if there is no such element.",
}
SENTENCES = {
    "capital": "{value} has been the capital of {name} for a long time; its government sits in {value}.",
    "symbol": "In the periodic table {name} is written {value}; chemists write {value} in every formula with {name}.",
}
_SYLLABLES = ("zor", "vak", "mel", "tib", "nop", "gur", "lys", "dax", "fen", "kul", "rim", "sov")


@dataclass(frozen=True, slots=True)
class Fact:
    """A kind of fact (`capital`, `symbol`), what it is about, and its value; None where nothing is to be known."""

    kind: str
    name: str
    value: str | None

    @property
    def question(self) -> str:
        """The question in words."""
        return WORDINGS[self.kind].format(name=self.name)

    def passage(self, value: str) -> str:
        """A coherent passage that gives the fact some value."""
        return SENTENCES[self.kind].format(name=self.name, value=value)

    def problem(self, id: str, context: str | None = None, reference: str | None = None) -> Problem:
        """The question as a problem, with or without a passage. About what does not exist, `unknown` is right."""
        right = reference or self.value or "unknown"
        return Problem(
            id, self.question, context=context, family=self.kind, level=1 if self.value else 6, reference=right,
            equivalence=Equivalence("exact"),
        )  # fmt: skip


def known(n: int, seed: int = 0) -> list[Fact]:
    """n different facts in seeded order, 40 at most."""
    facts = [Fact("capital", *pair) for pair in CAPITALS.items()] + [Fact("symbol", *pair) for pair in SYMBOLS.items()]
    order = np.random.default_rng(stream_key("plain facts", seed)).permutation(len(facts))
    return [facts[int(i)] for i in order[:n]]


def invented(n: int, seed: int = 0) -> list[Fact]:
    """n facts about countries and elements that do not exist."""
    rng = np.random.default_rng(stream_key("invented facts", seed))
    made: dict[str, Fact] = {}
    while len(made) < n:
        stem = "".join(_SYLLABLES[int(i)] for i in rng.integers(len(_SYLLABLES), size=2)).capitalize()
        fact = Fact("capital", f"{stem}ia", None) if len(made) % 2 == 0 else Fact("symbol", f"{stem.lower()}ium", None)
        made.setdefault(fact.name, fact)
    return list(made.values())


def other_value(fact: Fact, rng: np.random.Generator) -> str:
    """Another value of the same kind: a capital for a capital, a symbol for a symbol."""
    values = [v for v in (CAPITALS if fact.kind == "capital" else SYMBOLS).values() if v != fact.value]
    return values[int(rng.integers(len(values)))]
