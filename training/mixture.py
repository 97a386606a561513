"""What the bundled model is trained on, as an endless stream of documents for each stage; every draw from a seed.

Only items of the train split are used. Stage `solve` teaches thinking, direct answers and `<unknown>`; later stages add acts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nosce.models.socrates import tokenizer as marks
from nosce.tasks import families
from nosce.tasks.families import Item, facts
from training.rows import Tree, thought

FAMILY_SHARE = {"arithmetic": 0.24, "countdown": 0.22, "lists": 0.17, "logic": 0.10, "facts": 0.13, "sums": 0.14}
EASY = (0.50, 0.30, 0.14, 0.06, 0.00, 0.00)  # share of each level at the start of training
FULL = (0.10, 0.17, 0.24, 0.24, 0.19, 0.06)  # and at the end of the first third
STRANGERS, PASSAGES = 0.17, 0.14  # shares among the factual documents


def digest() -> str:
    """Sixteen hexadecimal digits over the sources that decide the mixture."""
    here = Path(__file__).parent
    mine = [here / f"{name}.py" for name in ("mixture", "rows", "acts")]
    sources = sorted([*Path(facts.__file__).parent.glob("*.py"), *mine])
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def levels(progress: float) -> np.ndarray:
    """Shares of the six levels: easy first, full after a third of the first stage."""
    t = min(progress * 3, 1.0)
    return (1 - t) * np.array(EASY) + t * np.array(FULL)


def train_item(rng: np.random.Generator, progress: float, name: str | None = None) -> Item:
    """A random item of the train split."""
    name = name or str(rng.choice(list(FAMILY_SHARE), p=list(FAMILY_SHARE.values())))
    while True:
        item = _fact(rng) if name == "facts" else families.draw(rng, name, 1 + int(rng.choice(6, p=levels(progress))))
        if families.split(item) == "train":
            return item


def _fact(rng: np.random.Generator) -> Item:
    kind = rng.random()
    if kind < PASSAGES:
        return facts.draw_with_passage(rng)
    if kind < PASSAGES + STRANGERS:
        return facts.draw(rng, 6)
    return facts.draw(rng, 1 + int(rng.choice(5, p=list(facts.EXPOSURE.values()))))


def said(item: Item) -> tuple[tuple[str, ...], str]:
    """Steps and answer to teach: the gold ones, `<unknown>` about strangers."""
    return facts.said(item) if item.family == "facts" else (item.steps, item.answer)


def asked(item: Item) -> str:
    """`<q> QUESTION [<ctx> PASSAGE]`."""
    return f"{marks.Q} {item.question}" + (f" {marks.CTX} {item.context}" if item.context else "")


def solving(rng: np.random.Generator, item: Item) -> Tree:
    """The question, mostly with a thought, often with a direct answer."""
    steps, answer = said(item)
    tree = Tree(asked(item))
    written = thought(steps, answer)
    if rng.random() < 0.45:
        tree.grow(0, marks.FAST, thought((), answer))
    if len(tree.ends) == 1 or rng.random() < 0.9:
        tree.grow(0, marks.THINK, written)
    return tree


def documents(stage: str, seed: int, block: int, progress: float, attempts: list[Any] | None = None) -> Iterator[Tree]:
    """The endless stream of one block of a stage; `attempts` are the model's own, for the stages with acts."""
    rng = np.random.default_rng([seed, block, sum(map(ord, stage))])
    if stage == "solve":
        while True:
            yield solving(rng, train_item(rng, progress))
    from training import acts

    yield from acts.documents(rng, stage, attempts or [])
