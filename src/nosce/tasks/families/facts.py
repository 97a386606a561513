"""Facts about invented entities: `color of zorvakmel`. Levels are exposure in training, from very often to never.

Every (entity, attribute) has one true value, drawn by a hash. Training shows the fact through some of six ways of asking;
the others are held out, so no test question was ever trained on although its fact was (levels 1 to 5). An entity of
level 6 was never shown with any value: its reference is the hidden value, so a guess is wrong but for luck, and
the honest reply is `<unknown>`, which counts as an abstention and earns nothing. A question may carry a passage; then the
passage's word is the right answer, whether it agrees with what was learned or not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from nosce.tasks.families._item import Item

NAME = "facts"
UNKNOWN = "<unknown>"
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "color": ("red", "blue", "green", "yellow", "black", "white", "brown", "pink", "gold", "grey", "violet", "orange"),
    "home": ("cave", "tower", "forest", "island", "desert", "valley", "harbor", "swamp", "castle", "meadow", "canyon", "glacier"),
    "food": ("bread", "apples", "fish", "honey", "rice", "cheese", "nuts", "soup", "plums", "beans", "cake", "corn"),
    "animal": ("horse", "eagle", "snake", "otter", "tiger", "camel", "goose", "whale", "rabbit", "spider", "turtle", "wolf"),
}
SYLLABLES = (
    "zor", "vak", "mel", "tib", "nop", "gur", "lys", "dax", "fen", "kul", "rim", "sov", "bek", "hul", "jat", "wix",
    "pum", "qes", "yad", "cor", "lum", "tev", "nar", "gis", "dob", "zek", "vil", "maf", "hon", "ruz", "ket", "sab",
)  # fmt: skip
WORDINGS = ("{a} of {n}", "{n} {a}", "{a} for {n}", "{n} has {a}", "tell {a} of {n}", "{a} that {n} has")
PASSAGE = "{n} {a} is {v}."
ENTITIES = {1: 40, 2: 40, 3: 60, 4: 80, 5: 100}  # level: how many entities
EXPOSURE = {1: 0.52, 2: 0.24, 3: 0.14, 4: 0.07, 5: 0.03}  # level: share of the factual rows in training
LEVELS: dict[int, tuple[int, ...]] = {level: (level,) for level in range(1, 7)}
_NAME = re.compile(rf"(?:{'|'.join(SYLLABLES)}){{3}}")
_FORMS = tuple(
    re.compile(re.escape(w).replace(r"\{a\}", rf"(?P<a>{'|'.join(ATTRIBUTES)})").replace(r"\{n\}", r"(?P<n>[a-z]{9})"))
    for w in WORDINGS
)
_STATEMENT = re.compile(rf"({_NAME.pattern}) ({'|'.join(ATTRIBUTES)}) is ([a-z]+)\.?")


def _digest(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def true_value(name: str, attribute: str) -> str:
    """The value of an attribute in the invented world, by a hash; defined for every name."""
    values = ATTRIBUTES[attribute]
    return values[_digest(f"{name}.{attribute}") % len(values)]


@lru_cache(maxsize=1)
def known_entities() -> dict[str, int]:
    """Name to exposure level of the entities that training shows with their values (levels 1 to 5)."""
    rng = np.random.default_rng(20261)
    names: dict[str, int] = {}
    for level, count in ENTITIES.items():
        while sum(v == level for v in names.values()) < count:
            names.setdefault(_spell(rng), level)
    return names


@lru_cache(maxsize=8)
def entities_of(level: int) -> tuple[str, ...]:
    """The entities of one exposure level, 1 to 5."""
    return tuple(name for name, at in known_entities().items() if at == level)


def for_acts(name: str) -> bool:
    """Whether training may use the entity in rows that teach acts (a third of them); the rest only ever as facts."""
    return _digest(f"acts.{name}") % 3 == 0


def _spell(rng: np.random.Generator) -> str:
    return "".join(SYLLABLES[int(k)] for k in rng.integers(len(SYLLABLES), size=3))


def stranger(rng: np.random.Generator) -> str:
    """A name outside the known entities."""
    while (name := _spell(rng)) in known_entities():
        pass
    return name


def _read(question: str) -> tuple[str, str] | None:
    """Name and attribute of a question in one of the wordings."""
    for form in _FORMS:
        match = form.fullmatch(question)
        if match and _NAME.fullmatch(match["n"]):
            return match["n"], match["a"]
    return None


def task(item: Item) -> tuple[str, str]:
    """Name and attribute that the question asks for."""
    found = _read(item.question)
    if found is None:
        raise ValueError(f"no question about a fact: {item.question}")
    return found


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """The one step: attribute, name and value."""
    if prior:
        return None
    name, attribute = task(item)
    return f"{attribute} of {name}={item.answer}"


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The value that the step names."""
    return steps[-1].rpartition("=")[2]


def right(item: Item, answer: str) -> bool:
    """Whether the value is the reference; `<unknown>` never is."""
    return answer.strip() == item.answer


def build(question: str, level: int, context: str | None = None) -> Item:
    """The item of a question; a passage about the same name and attribute decides its answer."""
    name, attribute = _read(question) or ("", "")
    answer = true_value(name, attribute)
    for who, what, value in _STATEMENT.findall(context or ""):
        if (who, what) == (name, attribute):
            answer = value
    canonical = f"{question}|{context}" if context else question
    if name not in known_entities() and context is None:
        canonical = f"stranger {name}"  # every question about a stranger falls into one split
    return Item(NAME, level, question, answer, (f"{attribute} of {name}={answer}",), canonical, context)


def said(item: Item) -> tuple[tuple[str, ...], str]:
    """Steps and answer that an honest model gives: the gold ones, `<unknown>` about a stranger without a passage."""
    name, attribute = task(item)
    if item.context is None and name not in known_entities():
        return (f"{attribute} of {name}={UNKNOWN}",), UNKNOWN
    return item.steps, item.answer


def draw(rng: np.random.Generator, level: int, spec: int | None = None) -> Item:
    """A question without a passage about a random entity of the level."""
    level = spec or level
    name = stranger(rng) if level == 6 else entities_of(level)[int(rng.integers(len(entities_of(level))))]
    attribute = tuple(ATTRIBUTES)[int(rng.integers(len(ATTRIBUTES)))]
    return build(_ask(rng, name, attribute), level)


def _ask(rng: np.random.Generator, name: str, attribute: str) -> str:
    return WORDINGS[int(rng.integers(len(WORDINGS)))].format(a=attribute, n=name)


def draw_with_passage(rng: np.random.Generator) -> Item:
    """A question with a passage that agrees (half), conflicts or is all that is known; level 1 or 2 (conflict)."""
    kind = float(rng.random())
    name = stranger(rng) if kind < 0.25 else tuple(known_entities())[int(rng.integers(len(known_entities())))]
    attribute = tuple(ATTRIBUTES)[int(rng.integers(len(ATTRIBUTES)))]
    values = ATTRIBUTES[attribute]
    agree = kind < 0.6
    value = true_value(name, attribute) if agree else values[int(rng.integers(len(values)))]
    lines = [PASSAGE.format(n=name, a=attribute, v=value)]
    other = tuple(a for a in ATTRIBUTES if a != attribute)[int(rng.integers(len(ATTRIBUTES) - 1))]
    if rng.random() < 0.5:  # a line that does not help
        who = name if rng.random() < 0.5 else stranger(rng)
        extra = ATTRIBUTES[other][int(rng.integers(len(ATTRIBUTES[other])))]
        lines.insert(int(rng.integers(2)), PASSAGE.format(n=who, a=other, v=extra))
    return build(_ask(rng, name, attribute), 1 if value == true_value(name, attribute) else 2, " ".join(lines))


def statement(question: str, value: str) -> str | None:
    """The line of a passage that gives a typed question this value; None where the question or the value is none of these."""
    item = parse(re.sub(r"[\s?.!=]+$", "", question.lower()))
    if item is None or value not in ATTRIBUTES[task(item)[1]]:
        return None
    name, attribute = task(item)
    return PASSAGE.format(n=name, a=attribute, v=value)


def is_statement(text: str) -> bool:
    """Whether a text is one line of a passage and nothing else."""
    return _STATEMENT.fullmatch(text) is not None


def parse(text: str, context: str | None = None) -> Item | None:
    """The item of a typed question, with the passage it came with, None where it is none."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\bcolour\b", "color", re.sub(r"\bthe ", "", text))
    if _read(text) is None:
        return None
    name = _read(text)[0]  # type: ignore[index]  # not None, by the line above
    passage = " ".join(f"{n} {a} is {v}." for n, a, v in _STATEMENT.findall((context or "").lower()) if v in ATTRIBUTES[a])
    return build(text, known_entities().get(name, 6), passage or None)
