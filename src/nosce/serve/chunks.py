"""A whole completion cut into the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def chat(whole: Mapping[str, Any], usage: bool = False) -> Iterator[dict[str, Any]]:
    """The chunks of a chat completion; the last of an answer carries its metacognition, and `usage` asks for one with the sums."""
    head = {name: value for name, value in whole.items() if name not in ("choices", "usage", "metacognition", "object")}
    head["object"] = "chat.completion.chunk"
    for choice in whole["choices"]:
        index, message = choice["index"], choice["message"]
        yield _chunk(head, index, {"role": "assistant", "content": "" if message.get("content") is not None else None})
        for delta in _deltas(message):
            yield _chunk(head, index, delta, logprobs=choice.get("logprobs") if "content" in delta else None)
        last = choice is whole["choices"][-1]
        more = {"metacognition": whole["metacognition"]} if last else {}
        yield _chunk({**head, **more}, index, {}, finish=choice.get("finish_reason") or "stop")
    if usage:
        yield {**head, "choices": [], "usage": whole["usage"]}


def text(whole: Mapping[str, Any], usage: bool = False) -> Iterator[dict[str, Any]]:
    """The chunks of a text completion: all of it at once."""
    yield {name: value for name, value in whole.items() if name != "usage"}
    if usage:
        yield {**{name: value for name, value in whole.items() if name != "metacognition"}, "choices": []}


def with_usage(body: Mapping[str, Any]) -> bool:
    """Whether a request asked for a chunk with the sums."""
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _chunk(
    head: Mapping[str, Any], index: int, delta: Mapping[str, Any], finish: str | None = None, logprobs: Any = None
) -> dict[str, Any]:
    return {**head, "choices": [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]}


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in message.items():
        if name == "tool_calls" and isinstance(value, list):
            yield {"tool_calls": [{"index": i, **call} for i, call in enumerate(value) if isinstance(call, dict)]}
        elif name != "role" and value is not None and value != "":
            yield {name: value}
