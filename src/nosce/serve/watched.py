"""An engine that tells what it does while it does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.trace import EventKind, Trace
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind


class Watched(Engine):
    """An engine that tells what happens, without any text, as it happens."""

    watch: Callable[[dict[str, Any]], None] | None = None

    def mind(self, problem: Problem, strategy: str = "", budget: Budget | None = None) -> Mind:
        """A fresh mind whose trace is watched."""
        made = super().mind(problem, strategy, budget)
        if self.watch is not None:
            made.work.trace = _Told(made.work.trace, self.watch)
        return made


class _Told(Trace):
    """A trace that tells of each event."""

    def __init__(self, trace: Trace, watch: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(trace.id, trace.problem_id, trace.strategy, trace.seed, trace.events)
        self._watch = watch

    def add(self, kind: EventKind, data: dict[str, Any], parent: str | None = None) -> str:
        """Append an event, and tell its kind, act, measure or action."""
        told: dict[str, Any] = {
            name: data[name] for name in ("act", "role", "name", "value", "action", "tool", "rung") if name in data
        }
        if kind != "answered":
            self._watch({"status": kind, **told})
        return super().add(kind, data, parent)
