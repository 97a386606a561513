"""Server-sent events: what happens on the way as comments, then the answer as chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nosce.serve import chunks
from nosce.serve.replying import Result
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


def streaming(pieces: Pieces, end: bytes = event("[DONE]"), chunks: bool = True) -> Callable[[Question, Render], Any]:
    """A stream whose answer is cut into events by `pieces`; `chunks`: what happens on the way may be told as a chat's chunks."""

    async def stream(asking: Question, render: Render) -> Result:
        exchange = asking.exchange
        task = asyncio.ensure_future(asking.answer())
        try:
            await exchange.start(200, HEAD)
            async for told in happenings(asking, task):
                await exchange.piece(_status(asking, told) if chunks else comment(told))
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

    return as_refusal(error).body


def chat_chunks(asking: Question, whole: dict[str, Any]) -> Iterator[bytes]:
    """A chat completion as the events of a stream."""
    return map(event, chunks.chat(whole, chunks.with_usage(asking.asked.body.fields)))


def text_chunks(asking: Question, whole: dict[str, Any]) -> Iterator[bytes]:
    """A text completion as the events of a stream."""
    return map(event, chunks.text(whole, chunks.with_usage(asking.asked.body.fields)))
