"""The append-only tree of what was sampled, measured and decided, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nosce.core.codec import json_line
from nosce.core.errors import InputError

EventKind = Literal["sampled", "measured", "decided", "used", "failed", "answered"]


@dataclass(frozen=True, slots=True)
class Event:
    """One node of the tree. `node` is unique in its trace; `parent` is the node it grew from (None: the problem)."""

    node: str
    kind: EventKind
    parent: str | None
    data: dict[str, Any]


@dataclass(slots=True)
class Trace:
    """All events of one problem, in the order in which they happened; enough to replay without a model."""

    id: str
    problem_id: str
    strategy: str = ""
    seed: int = 0
    events: list[Event] = field(default_factory=list)

    def add(self, kind: EventKind, data: dict[str, Any], parent: str | None = None) -> str:
        """Append an event and return its node name."""
        node = f"n{len(self.events)}"
        self.events.append(Event(node, kind, parent, data))
        return node

    def of(self, *kinds: EventKind) -> Iterator[Event]:
        """The events of the given kinds, in order."""
        return (event for event in self.events if event.kind in kinds)

    def children(self, node: str | None) -> Iterator[Event]:
        """The events that grew from `node`."""
        return (event for event in self.events if event.parent == node)

    def to_json(self) -> str:
        """One line of JSON."""
        events = [[e.node, e.kind, e.parent, e.data] for e in self.events]
        head = {"id": self.id, "problem_id": self.problem_id, "strategy": self.strategy, "seed": self.seed}
        return json_line({**head, "events": events})

    @staticmethod
    def id_of(line: bytes) -> str:
        """The id of a line written by `to_json`, without reading the rest; InputError when it is not one."""
        found = re.match(rb'\{"id":\s*"([^"]+)"', line)
        if found is None:
            raise InputError("not a trace: the line does not begin with its id")
        return found[1].decode()

    @classmethod
    def from_json(cls, text: str) -> Trace:
        """Rebuild a trace from `to_json`. Raises InputError when the text is not one."""
        try:
            data = json.loads(text)
            events = [Event(*event) for event in data.pop("events")]
            return cls(**data, events=events)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"not a trace: {error}; expected a line written by `nosce solve`") from None


def read_traces(lines: Iterable[str]) -> Iterator[Trace]:
    """The traces of a JSONL file, blank lines skipped. Raises InputError with the number of the bad line."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield Trace.from_json(line)
            except InputError as error:
                raise InputError(f"line {number}: {error}") from None


class TraceFile(Mapping[str, Trace]):
    """The traces of a JSONL file by id; read from disk when asked for, so that memory stays flat."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, int] = {}
        with path.open("rb") as file:
            place = 0
            for line in file:
                if line.strip():
                    self._places[Trace.id_of(line)] = place
                place += len(line)

    def __getitem__(self, trace_id: str) -> Trace:
        with self._path.open("rb") as file:
            file.seek(self._places[trace_id])
            return Trace.from_json(file.readline().decode())

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
