"""Problems of the bundled families."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, product
from typing import get_args

import numpy as np

from nosce.core.errors import InputError, unknown
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.tasks.families import FAMILIES, Item, Split, draw, split
from nosce.tasks.families.matching import EQUIVALENCES

LEVELS = (1, 2, 3, 4, 5, 6)
SPLITS: tuple[Split, ...] = get_args(Split)
_TRIES = 2000  # draws without anything new before a cell counts as used up


def as_problem(item: Item) -> Problem:
    """The item as a problem; its id is the hash that keeps the splits apart. The calculator is offered for sums alone."""
    tools = item.tools if item.family == "sums" else ()
    return Problem(
        item.hash, item.question, context=item.context, tools=tools, family=item.family, level=item.level,
        reference=item.answer, equivalence=EQUIVALENCES[item.family],
    )  # fmt: skip


def draw_problems(
    families: Sequence[str] = tuple(EQUIVALENCES),
    levels: Sequence[int] = LEVELS,
    n: int = 100,
    seed: int = 0,
    part: Split = "test",
) -> list[Problem]:
    """`n` different problems of one split, family and level taken in turn; the same for the same arguments.

    Raises InputError for an unknown family, level or split, n < 1, or when there are fewer than n.
    """
    _check(families, levels, n, part)
    cells = [_Cell(family, level, seed, part) for level, family in product(levels, families)]
    found: dict[str, Problem] = {}
    for turn in count():
        cell = cells[turn % len(cells)]
        item = cell.new()
        if item is not None:
            found.setdefault(item.hash, as_problem(item))
        if len(found) == n:
            return list(found.values())
        if all(cell.empty for cell in cells):
            raise InputError(f"only {len(found)} different {part} problems of {', '.join(families)} there; n={n} is too many")
    raise AssertionError("count() has no end")


def _check(families: Sequence[str], levels: Sequence[int], n: int, part: str) -> None:
    for family in families:
        if family not in FAMILIES:
            raise unknown("family", family, FAMILIES)
    for level in levels:
        if level not in LEVELS:
            raise InputError(f"level {level}: expected 1 (trivial) to 6 (beyond reach)")
    if part not in SPLITS:
        raise unknown("split", part, SPLITS)
    if n < 1:
        raise InputError(f"n={n}: expected at least 1")


class _Cell:
    """New items of one family, level and split, until no more come."""

    def __init__(self, family: str, level: int, seed: int, part: Split) -> None:
        self.family, self.level, self.part, self.empty = family, level, part, False
        self._rng = np.random.default_rng(stream_key("bundled", seed, family, level, part))
        self._seen: set[str] = set()

    def new(self) -> Item | None:
        """An item not given before, or None when there seems to be none left."""
        for _ in range(0 if self.empty else _TRIES):
            item = draw(self._rng, self.family, self.level)
            if item.hash not in self._seen and split(item) == self.part:
                self._seen.add(item.hash)
                return item
        self.empty = True
        return None
