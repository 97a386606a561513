"""Questions with a checked answer, in the words that the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.battery import Item, Source
from nosce.tasks.bundled import LEVELS, draw_problems
from nosce.tasks.plain_words import INVENTED, KINDS, plain_words

WORDED = ("word problems", *(kind for kind in KINDS if kind != INVENTED))
"""The kinds of plain questions to which somebody knows the answer."""


def checked(n: int, seed: int, source: Source, levels: Sequence[int] = LEVELS) -> list[Item]:
    """n items of a battery, of the bundled families or in plain words."""
    drawn = draw_problems(n=n, seed=seed, levels=levels) if source == "bundled" else plain_words(n, seed, WORDED, levels)
    return [Item(problem) for problem in drawn]
