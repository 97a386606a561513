"""An OpenAI-compatible server on loopback that misbehaves as told, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[["Call"], Any]


@dataclass
class Call:
    """One request as it came in; `number` counts from 0."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    number: int
    raw: bytes = b""


@dataclass
class Raw:
    """An answer written byte by byte: status, headers, body pieces; then wait, go on for ever, or cut the line."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()
    after: str = "close"  # close, hang, endless, drop, silent; or again: the last piece for ever
    length: int | None = None
    pause: float = 0.0  # seconds after each piece


def completion(text: str = "4", **more: Any) -> dict[str, Any]:
    """A well-formed chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more.pop("choice", {})}
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    return {"id": "x", "object": "chat.completion", "model": "stub", "choices": [choice], "usage": usage, **more}


def logprobs(*pairs: tuple[str, Any]) -> dict[str, Any]:
    """The log-probability part of a choice."""
    return {"logprobs": {"content": [{"token": t, "logprob": v, "top_logprobs": [{"token": t, "logprob": v}]} for t, v in pairs]}}


class Stub:
    """Answers each call with `answer(call)`: a JSON value (status 200), (status, JSON), or Raw."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.calls, self.url = answer, list[Call](), ""
        self.left = 0  # clients that went away while they waited
        self._loop = asyncio.new_event_loop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (call := await self._read(reader)) is not None:
                reply = self.answer(call)
                if not isinstance(reply, Raw):
                    status, data = reply if isinstance(reply, tuple) else (200, reply)
                    body = json.dumps(data).encode()
                    reply = Raw(status, {"content-type": "application/json"}, (body,), "keep", len(body))
                if reply.after != "silent":
                    await self._write(writer, reply)
                if reply.after in ("hang", "silent"):
                    await reader.read(1)
                    self.left += 1
                if reply.after != "keep":
                    break
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.left += isinstance(error, ConnectionError)
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Call | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().strip().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        call = Call(first.split()[1], json.loads(body) if body else {}, headers, len(self.calls), body)
        self.calls.append(call)
        return call

    async def _write(self, writer: asyncio.StreamWriter, reply: Raw) -> None:
        headers = dict(reply.headers)
        if reply.length is not None:
            headers["content-length"] = str(reply.length)
        else:
            headers["connection"] = "close"
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode())
        for piece in reply.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(reply.pause)
        if reply.after == "drop":
            writer.transport.abort()
        while reply.after == "endless":
            writer.write(b" " * (1 << 16))
            await writer.drain()
        while reply.after == "again":
            writer.write(reply.pieces[-1])
            await writer.drain()

    def start(self) -> None:
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            ready.set()
            self._loop.run_forever()
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@contextmanager
def serving(answer: Answer) -> Iterator[Stub]:
    """A running stub; `.url` is its base address, `.calls` what came in."""
    stub = Stub(answer)
    stub.start()
    try:
        yield stub
    finally:
        stub.stop()
