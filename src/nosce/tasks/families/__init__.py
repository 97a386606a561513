"""The bundled families: procedural problems in six levels, each with a checker, gold thoughts and a typed grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from nosce.tasks.families import arithmetic, countdown, facts, lists, logic, sums
from nosce.tasks.families._item import Item, Split, bucket, split
from nosce.tasks.families._judge import Verdict, judge, plant

__all__ = [
    "FAMILIES", "Item", "Split", "Verdict", "bare", "bucket", "conclude", "draw", "draw_split", "family", "go_on", "judge",
    "next_step", "parse", "plant", "recheck", "right", "split",
]  # fmt: skip

FAMILIES: dict[str, ModuleType] = {m.NAME: m for m in (arithmetic, countdown, lists, logic, facts, sums)}
_NUMBER = re.compile(r"^(?:step\s*)?\d{1,3}[.):]\s*", re.I)
_PREFIX = re.compile(r"^(?:what(?:'s| is)|whats|compute|calculate|evaluate|please|solve|find|give me)\s+")


def family(item: Item) -> ModuleType:
    """The module of the item's family."""
    return FAMILIES[item.family]


def draw(rng: np.random.Generator, name: str, level: int) -> Item:
    """A random item of one family and level (1 to 6)."""
    return FAMILIES[name].draw(rng, level)  # type: ignore[no-any-return]  # every family module draws Items


def draw_split(rng: np.random.Generator, name: str, level: int, want: Split) -> Item:
    """A random item of one family, level and split (drawn until one falls into the split)."""
    while split(item := draw(rng, name, level)) != want:
        pass
    return item


def parse(text: str, context: str | None = None) -> Item | None:
    """The item of a question as a person types it, None outside the grammar (then the model abstains).

    Case, spaces, a final `?`, `=` or `.`, and openings such as `what is` do not matter.
    """
    if len(text) > 400:
        return None
    text = re.sub(r"\s+", " ", text.lower().replace("×", "*").replace("−", "-").replace("÷", "/")).strip()
    text = re.sub(r"[\s?.!=]+$", "", text)
    while (short := _PREFIX.sub("", text)) != text:
        text = short
    parsers: list[Callable[[str], Item | None]] = [
        sums.parse, arithmetic.parse, countdown.parse, lists.parse, logic.parse, lambda t: facts.parse(t, context),
    ]  # fmt: skip
    return next((item for parser in parsers if (item := parser(text)) is not None), None)


def bare(step: str) -> str:
    """A written step without its number, as the families write it: `2. 85-12=73` is `85-12=73`."""
    return _NUMBER.sub("", step)


def right(item: Item, answer: str) -> bool:
    """Whether the answer is right, by the family's checker."""
    return bool(family(item).right(item, answer.strip()))


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """The gold step after `prior`, whose written results are taken as they are; None when the thought is complete."""
    step: str | None = family(item).next_step(item, prior)
    return step


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The answer that complete steps lead to."""
    return str(family(item).conclude(item, steps))


def go_on(item: Item, prior: Sequence[str]) -> tuple[list[str], str]:
    """The steps that follow `prior` (right or wrong) and the answer they lead to; ValueError where none follow."""
    steps = list(prior)
    while (step := next_step(item, steps)) is not None:
        steps.append(step)
        if len(steps) > 12:
            raise ValueError("the thought does not end")
    return steps[len(prior) :], conclude(item, steps)


def recheck(item: Item, prior: Sequence[str], step: str) -> tuple[str, bool]:
    """One written step done again after `prior` (which stands), and whether the step stands: (recomputed, ok)."""
    module = family(item)
    try:
        if module is countdown:
            return countdown.recheck(item, prior, step)
        again = next_step(item, prior)
    except (ValueError, KeyError, IndexError):
        return "", False
    return again or "", again == step
