"""The curriculum stage: which problems come next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nosce.core.problem import Problem
from nosce.core.streams import stream_key

if TYPE_CHECKING:
    from nosce.learn.context import Context


def shuffled(context: Context, n: int) -> Sequence[Problem]:
    """The problems in random order, each once before any comes again; a new order every time round.

    `context.state["served"]` counts those given out.
    """
    served, many = int(context.state.get("served", 0)), len(context.problems)
    context.state["served"] = served + n
    found = []
    for place in range(served, served + n):
        order = np.random.default_rng(stream_key(context.seed, "order", place // many)).permutation(many)
        found.append(context.problems[int(order[place % many])])
    return found
