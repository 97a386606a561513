"""What is kept of a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nosce.core.trace import Event, Trace
from nosce.serve.store import Write

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


def digested(trace: Trace, strategy: str, key_id: str, at: float, spent: int) -> Iterator[Write]:
    """What the dashboard adds up over many traces, so that it need not read them: one thought's cost, and what was decided.

    A thought's cost is the longest prompt of the trace's thoughts, and their mean completion.
    """
    samples = [e.data["sample"] for e in trace.of("sampled") if e.data.get("act") in ("think", "direct")]
    lengths = [s["completion_tokens"] for s in samples if s.get("completion_tokens")]
    if lengths:
        prompt = max(s.get("prompt_tokens") or 0 for s in samples)
        row = (trace.id, key_id, at, strategy, spent, prompt, sum(lengths) / len(lengths))
        yield "INSERT OR REPLACE INTO thoughts VALUES (?,?,?,?,?,?,?)", row
    for event in trace.of("decided"):
        if (action := event.data.get("action")) not in ("abstain", "ask", None):
            sure = event.data.get("sure")
            said = (trace.id, key_id, at, str(action), str(event.data.get("reason") or "")[:300], sure)
            yield "INSERT INTO decisions VALUES (?,?,?,?,?,?)", said
