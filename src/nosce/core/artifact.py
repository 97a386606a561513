"""Anything fitted or collected before answering."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nosce.core.cost import Cost


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a system's `prepare` made: a ranking, a handbook, a probe, thresholds.

    `data` is plain JSON. `model`, `problems` (a hash of the problems it was made from) and `seed` say where it came
    from; `cost` is charged to the system that uses it.
    """

    system: str
    kind: str
    data: dict[str, Any]
    model: str = ""
    problems: str = ""
    seed: int = 0
    cost: Cost = field(default_factory=Cost)
