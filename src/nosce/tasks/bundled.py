"""Problems of the bundled families, as Problems."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.core.problem import Problem
from nosce.tasks.families import FAMILIES, Item, Split, draw_split
from nosce.tasks.families.matching import EQUIVALENCES

LEVELS = range(1, 7)


def bundled(
    split: Split = "test", n: int = 600, *, seed: int = 0, families: Sequence[str] = tuple(FAMILIES),
    levels: Sequence[int] = tuple(LEVELS),
) -> list[Problem]:  # fmt: skip
    """n different problems of one split, families and levels in turn; the same seed gives the same list."""
    rng = np.random.default_rng([seed, *map(ord, split)])
    found: dict[str, Problem] = {}
    cells = [(family, level) for level in levels for family in families]
    tries = 0
    while len(found) < n and tries < 50 * n:
        family, level = cells[tries % len(cells)]
        item = draw_split(rng, family, level, split)
        found.setdefault(item.hash, problem(item))
        tries += 1
    return list(found.values())


def problem(item: Item) -> Problem:
    """An item as a Problem, compared as its family compares; the calculator is offered for sums alone."""
    tools = item.tools if item.family == "sums" else ()
    return Problem(
        item.hash, item.question, context=item.context, tools=tools, family=item.family, level=item.level,
        reference=item.answer, equivalence=EQUIVALENCES[item.family],
    )  # fmt: skip
