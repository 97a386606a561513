"""What statistics can be had from a model only, asked for once and paid for like any other reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.mind import Mind
from nosce.monitor.statistics import Statistics


async def observe(
    problem: Problem, attempts: Sequence[Attempt], mind: Mind, needs: Collection[str] = (), **given: Any
) -> Statistics:
    """The statistics of a question's attempts. `given` are further fields of Statistics (`embed`, `entails`, `view`, …)."""
    return Statistics(problem, attempts, **given)
