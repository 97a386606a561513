"""Server-sent events: what happens on the way as comments, then the answer as chunks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nosce.serve.answering import Result
from nosce.serve.store import packed
from nosce.serve.thinking import Question, Render, happenings

HEAD = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"), ("x-accel-buffering", "no"))
Pieces = Callable[[Question, dict[str, Any]], Iterator[bytes]]


def event(data: Mapping[str, Any] | str, name: str = "") -> bytes:
    """One event."""
    text = data if isinstance(data, str) else packed(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def comment(data: Mapping[str, Any] | None) -> bytes:
    """One comment, which every client skips."""
    return b": working\n\n" if data is None else f": nosce {packed(data)}\n\n".encode()


def streaming(pieces: Pieces, end: bytes = event("[DONE]")) -> Callable[[Question, Render], Any]:
    """A stream whose answer is cut into events by `pieces`."""

    async def stream(asking: Question, render: Render) -> Result:
        exchange = asking.exchange
        task = asyncio.ensure_future(asking.answer())
        try:
            await exchange.start(200, HEAD)
            async for told in happenings(asking, task):
                await exchange.piece(_status(asking, told))
            result: Result = task.result()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await exchange.piece(event(_fault(error)) + end, more=False)
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for piece in pieces(asking, render(result)):
            await exchange.piece(piece)
        await exchange.piece(end, more=False)
        return result

    return stream


def _status(asking: Question, told: dict[str, Any] | None) -> bytes:
    if told is None or not asking.settings.events:
        return comment(told)
    chunk = {
        "id": f"chatcmpl-{asking.exchange.trace_id}",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "nosce",
        "choices": [],
    }
    return event({**chunk, "metacognition": {"status": told}})


def _fault(error: Exception) -> dict[str, Any]:
    from nosce.serve.front import as_refusal

    logging.getLogger("nosce.serve").info("a stream failed: %s", error)
    return as_refusal(error).body


def chat_chunks(asking: Question, whole: dict[str, Any]) -> Iterator[bytes]:
    """A chat completion as the chunks of a stream."""
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
    options = asking.asked.body.fields.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        yield event({**head, "choices": [], "usage": whole["usage"]})


def _chunk(head: Mapping[str, Any], index: int, delta: Mapping[str, Any], finish: str | None = None, logprobs: Any = None) -> bytes:
    return event({**head, "choices": [{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]})


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in message.items():
        if name == "tool_calls" and isinstance(value, list):
            yield {"tool_calls": [{"index": i, **call} for i, call in enumerate(value) if isinstance(call, dict)]}
        elif name != "role" and value is not None and value != "":
            yield {name: value}


def text_chunks(asking: Question, whole: dict[str, Any]) -> Iterator[bytes]:
    """A text completion as the chunks of a stream."""
    options = asking.asked.body.fields.get("stream_options")
    yield event({name: value for name, value in whole.items() if name != "usage"})
    if isinstance(options, dict) and options.get("include_usage"):
        yield event({**{n: v for n, v in whole.items() if n != "metacognition"}, "choices": []})
