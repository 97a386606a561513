"""What is kept of a trace."""

from __future__ import annotations

from typing import Any

from nosce.core.trace import Event, Trace

_NUMBERS = ("act", "role", "key", "name", "value", "source", "direction", "action", "sure", "enough", "rung", "votes", "outcome",
            "confidence", "strategy", "tool")  # fmt: skip
"""Fields of events that hold no text of the question or the answer."""


def kept_trace(trace: Trace, text: bool) -> str:
    """The trace as JSON; without `text` nothing of what was asked or answered is in it."""
    if text:
        return trace.to_json()
    bare = Trace(trace.id, trace.id, trace.strategy, trace.seed, [_bare(event) for event in trace.events])
    return bare.to_json()


def _bare(event: Event) -> Event:
    data: dict[str, Any] = {name: value for name, value in event.data.items() if name in _NUMBERS}
    if event.kind == "answered":
        data.pop("value", None)
    sample = event.data.get("sample")
    if isinstance(sample, dict):
        data["sample"] = {name: value for name, value in sample.items() if name in ("prompt_tokens", "completion_tokens", "finish")}
    if event.kind == "decided" and event.data.get("action") != "ask":
        data["reason"] = event.data.get("reason")
    return Event(event.node, event.kind, event.parent, data)
