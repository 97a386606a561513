"""One request and its answer, on bare ASGI."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from nosce.serve.store import packed

if TYPE_CHECKING:
    from nosce.serve.keys import Caller

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

PATIENCE = 30.0
"""Seconds for which a body may stand still."""

CUT_OFF = "cut off: the server was stopped, or the page was left that asked"
"""What is noted of a request that was neither answered nor hung up on."""

LONGEST = 300.0
"""Seconds that a body may take in all."""


class Refused(Exception):
    """The request ends here, with this status and an error body in OpenAI's form."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", *, code: str | None = None,
                 param: str | None = None, headers: Mapping[str, str] | None = None) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.headers = status, dict(headers or {})
        self.body: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}


class HungUp(Exception):
    """The client went away."""


class Exchange:
    """A request with its caller, and the means to answer it. `trace_id` names it ever after."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        self.scope, self.receive, self.send, self.caller = scope, receive, send, caller
        self.trace_id = secrets.token_hex(12)
        self.began = time.monotonic()
        self.started = False
        self.kept: bytearray | None = None
        self.room = 0

    @property
    def path(self) -> str:
        """The path of the request."""
        return str(self.scope["path"])

    def header(self, name: bytes) -> str:
        """A request header, empty when it was not sent."""
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name), "")

    async def body(self, most: int) -> bytes:
        """The whole body. Refused when it is larger than `most` bytes, before it is read where its length was announced.

        One that stands still for PATIENCE seconds, or is not through after LONGEST, is refused too (408).
        """
        length = self.header(b"content-length")
        if length.isdecimal() and (len(length) > 18 or int(length) > most):
            await self._discard()
            raise too_large(most)
        parts, seen, more, until = list[bytes](), 0, True, time.monotonic() + LONGEST
        while more:
            message = await self._soon(until)
            parts.append(message.get("body", b""))
            seen, more = seen + len(parts[-1]), bool(message.get("more_body"))
            if seen > most:
                await self._discard()
                raise too_large(most)
        return b"".join(parts) if len(parts) > 1 else parts[0]

    async def _discard(self) -> None:
        """Read on for a second and keep nothing, for a client that sends all before it reads."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while (await self.receive()).get("more_body"):
                    pass

    async def _soon(self, until: float) -> Message:
        try:
            async with asyncio.timeout(min(PATIENCE, until - time.monotonic())):
                message = await self.receive()
        except TimeoutError:
            raise Refused(408, "the body did not come in time", code="too_slow", headers=CLOSE) from None
        if message["type"] == "http.disconnect":
            raise HungUp
        return message

    def keep(self, room: int) -> None:
        """Keep up to `room` bytes of the answer's body in `kept`."""
        self.kept, self.room = bytearray(), room

    async def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the head of the answer."""
        self.started = True
        named = [(name.encode("latin-1"), clean(value)) for name, value in headers]
        named.append((b"x-nosce-trace-id", self.trace_id.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": named})

    async def piece(self, data: bytes, more: bool = True) -> None:
        """Send a piece of the answer's body; as much of it as there is `room` for is kept as well, where that was asked for."""
        if self.kept is not None:
            self.kept += data[: max(0, self.room - len(self.kept))]
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def whole(self, status: int, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send the whole answer."""
        await self.start(status, [*headers, ("content-length", str(len(body)))])
        await self.piece(body, more=False)

    async def json(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send JSON."""
        await self.whole(status, packed(data).encode(), [("content-type", "application/json"), *(headers or {}).items()])

    async def unless_hung_up(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work; when the client goes away first the work is cancelled and HungUp raised."""
        task, gone = asyncio.ensure_future(work), asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise HungUp
        finally:
            gone.cancel()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


CLOSE = {"connection": "close"}
"""The header of an answer after which what still comes in is not read."""


def too_large(most: int) -> Refused:
    """The refusal of a body of more than `most` bytes."""
    return Refused(413, f"the body is larger than {most} bytes", code="body_too_large", headers=CLOSE)


def clean(value: str) -> bytes:
    """A header's value without line breaks or anything else that is no visible ASCII, at most 1,000 characters."""
    return "".join(c if " " <= c <= "~" else "?" for c in value[:1000]).encode()
