"""What the meta level does about what it measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal[
    "answer", "sample", "extend", "revise", "switch", "use", "recall", "ask", "defer", "abstain", "stop", "act"
]


@dataclass(frozen=True, slots=True)
class Decision:
    """One meta-action and its reason; `data` holds the numbers it was based on."""

    action: Action
    reason: str
    data: dict[str, Any] = field(default_factory=dict)
