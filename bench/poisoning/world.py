"""Who asks what: invented facts, honest askers, and what people who read a conversation hold to be right.

The bundled model knows some of the facts, and believes one when a passage states it; that is how its lessons are shown to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nosce.tasks.families import facts, parse

Body = dict[str, Any]
Rng = np.random.Generator
Verdict = tuple[bool | None, str | None]
"""What an asker says of an answer: whether it was right, or what the right one is."""

STRANGE = 1 / 3
"""The share of facts that the model cannot know."""

TELLS, NOISE, CORRECTS = 0.4, 0.03, 0.5
"""Of honest askers: the share that gives feedback, the share of it that is wrong, the share of wrong answers corrected."""


@dataclass(frozen=True)
class Fact:
    """A question's subject, its true value and, for a victim, the value that the attacker wants."""

    name: str
    attribute: str
    value: str
    wanted: str = ""

    def put(self, form: int) -> str:
        """The question in one of the six wordings."""
        return facts.WORDINGS[form % len(facts.WORDINGS)].format(a=self.attribute, n=self.name)

    def ask(self, rng: Rng) -> str:
        """The question in any of them."""
        return self.put(int(rng.integers(len(facts.WORDINGS))))

    @property
    def lie(self) -> str:
        """What the attacker wants to be believed."""
        return facts.PASSAGE.format(n=self.name, a=self.attribute, v=self.wanted)


@dataclass(frozen=True)
class Said:
    """One request: in which turns it is put, and what is said of the answer (`feedback`)."""

    turns: tuple[str, ...]
    feedback: Callable[[str | None], Verdict]
    system: str = ""

    @property
    def body(self) -> Body:
        """As it is sent."""
        before = [{"role": "system", "content": self.system}] if self.system else []
        return {"messages": [*before, *({"role": "user", "content": turn} for turn in self.turns)]}

    def truth(self) -> str | None:
        """What one who reads the whole conversation holds to be right: what it states counts, wherever it stands."""
        told = " ".join([self.system, *self.turns]).lower()
        question = re.split(r"[.\n>]\s*", self.turns[-1].rstrip("?.! ").lower())[-1]
        item = parse(question, told)
        return None if item is None else item.answer


def honest(fact: Fact, rng: Rng) -> Said:
    """An honest question; some say what became of the answer."""
    tells, noise, corrects = rng.random() < TELLS, rng.random() < NOISE, rng.random() < CORRECTS
    values = facts.ATTRIBUTES[fact.attribute]
    mistaken = values[int(rng.integers(len(values)))]

    def feedback(value: str | None) -> Verdict:
        right = value == fact.value
        if not tells:
            return None, None
        if not right and corrects:
            return None, mistaken if noise else fact.value
        return right != noise, None

    return Said((fact.ask(rng),), feedback)


@dataclass(frozen=True)
class World:
    """Facts of one split: the attacker's victims, and the rest of what is asked."""

    victims: tuple[Fact, ...]
    others: tuple[Fact, ...]

    @classmethod
    def draw(cls, rng: Rng, victims: int, others: int, names: Sequence[str]) -> World:
        """Facts about these names, two in three, and about strangers; victims and others alike."""
        known = [(name, attribute) for name in names for attribute in facts.ATTRIBUTES]
        chosen = [known[int(i)] for i in rng.permutation(len(known))[: round((victims + others) * (1 - STRANGE))]]
        while len(chosen) < victims + others:
            chosen.append((facts.stranger(rng), tuple(facts.ATTRIBUTES)[int(rng.integers(len(facts.ATTRIBUTES)))]))
        drawn = [_fact(rng, *chosen[int(i)]) for i in rng.permutation(len(chosen))]
        return cls(tuple(drawn[:victims]), tuple(drawn[victims:]))


def _fact(rng: Rng, name: str, attribute: str) -> Fact:
    values, true = facts.ATTRIBUTES[attribute], facts.true_value(name, attribute)
    return Fact(name, attribute, true, [v for v in values if v != true][int(rng.integers(len(values) - 1))])


def halves() -> tuple[list[str], list[str]]:
    """The known names, one half to train and to choose on, the other to be measured on."""
    names = sorted(facts.known_entities())
    return names[::2], names[1::2]
