"""What a request's calls used, by the servers' own counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def summed(usages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of all calls' usage, field by field, with their number."""
    total: dict[str, Any] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    for usage in usages:
        total = _added(total, usage)
    return {**total, "num_calls": len(usages)}


def _added(total: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(total)
    for name, value in more.items():
        if isinstance(value, dict):
            made[name] = _added(made.get(name) if isinstance(made.get(name), dict) else {}, value)  # type: ignore[arg-type]
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
            made[name] = made.get(name, 0) + value if isinstance(made.get(name, 0), int | float) else value
    return made
