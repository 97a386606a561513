"""Slips of the pen for the solving rows of late stages: seldom the same twice, and carried on from consistently, as a person does.

A model of this size is often surely right or surely wrong, so votes have little to mend. On the levels it has learned well a
share of the written thoughts therefore contains one careless step: a carry lost or one too many (the tens of a result), two
neighbours of a list swapped, a truth value flipped. What follows takes the slipped value as it stands. Re-checks and
revisions never slip.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.tasks import families
from nosce.tasks.families import Item, lists, logic

RATE = {2: 0.50, 3: 0.30}  # level: share of the thoughts with a slip somewhere, at temperature 1
FAMILIES = ("arithmetic", "lists", "logic", "sums")


def slipped(rng: np.random.Generator, item: Item) -> tuple[Sequence[str], str]:
    """Steps and answer of the item, with a slip at the rate of its level; every step is as likely to slip first."""
    gold = (item.steps, item.answer)
    if item.family not in FAMILIES or rng.random() >= RATE.get(item.level, 0.0):
        return gold
    k = int(rng.integers(len(item.steps)))
    try:
        steps, answer = _swapped(item, k) if _listed(item) else _gone_on(item, k, slip(rng, item, item.steps[k]))
    except (ValueError, IndexError):
        return gold
    return gold if families.right(item, answer) else (steps, answer)


def slip(rng: np.random.Generator, item: Item, gold: str) -> str:
    """The step with a careless result: the truth value flipped, or ten more or less; ValueError where it has no tens to slip in."""
    left, _, result = gold.rpartition("=")
    if item.family == logic.NAME:
        return f"{left}={'F' if result == 'T' else 'T'}"
    tens = int(result) // 10 % 10
    if int(result) < 10 or not left:
        raise ValueError(f"no tens in {gold}")
    ways = [ten for ten in (-10, 10) if 0 <= tens + ten // 10 <= 9 and int(result) + ten >= 10]
    return f"{left}={int(result) + ways[int(rng.integers(len(ways)))]}"


def _listed(item: Item) -> bool:
    return item.family == lists.NAME and lists.task(item)[0] in ("sort", "reverse")


def _swapped(item: Item, k: int) -> tuple[list[str], str]:
    steps = list(item.steps)
    steps[k], steps[k + 1] = steps[k + 1], steps[k]
    return steps, families.conclude(item, steps)


def _gone_on(item: Item, k: int, step: str) -> tuple[list[str], str]:
    prefix = [*item.steps[:k], step]
    rest, answer = families.go_on(item, prefix)
    return [*prefix, *rest], answer
