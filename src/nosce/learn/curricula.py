"""The curriculum stage: which problems come next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nosce.core.problem import Problem
from nosce.core.streams import stream_key

if TYPE_CHECKING:
    from nosce.learn.context import Context


def nothing(context: Context, n: int) -> Sequence[Problem]:
    """No problems: the recipe learns from examples (`augment`)."""
    return ()


def in_turn(context: Context, many: int, n: int) -> list[int]:
    """The next n of `many` things in random order, each once before any comes again; a new order every time round.

    `context.state["served"]` counts those given out.
    """
    served = int(context.state.get("served", 0))
    context.state["served"] = served + n
    found = []
    for place in range(served, served + n):
        order = np.random.default_rng(stream_key(context.seed, "order", place // many)).permutation(many)
        found.append(int(order[place % many]))
    return found


def shuffled(context: Context, n: int) -> Sequence[Problem]:
    """The problems `in_turn`."""
    return [context.problems[i] for i in in_turn(context, len(context.problems), n)]
