"""uvicorn's protocol, with a limit to the time and the size of a request's head."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
"""Seconds from a request's first byte, or from a connection's begin, to the end of its headers."""

HEAD_BYTES = 64 << 10
"""Bytes of a request line and its headers."""


class Protocol(HttpToolsProtocol):  # type: ignore[misc]  # uvicorn is not typed here
    """Closes a connection whose request does not get to the end of its headers, in time and in size."""

    _late: asyncio.TimerHandle | None = None
    _seen = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A connection begins: its first request is expected soon."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._has_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request's first byte has come."""
        super().on_message_begin()
        self._has_head()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """A request's headers are complete."""
        self._has_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        if self._late is not None:
            self._seen += len(data)
            if self._seen > HEAD_BYTES and not self.transport.is_closing():
                self._refuse("headers too large")

    def _expect_head(self) -> None:
        self._seen, self._late = 0, self.loop.call_later(HEAD_SECONDS, self._refuse, "headers too slow")

    def _has_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse(self, why: str, *_: Any) -> None:
        self._has_head()
        if not self.transport.is_closing():
            self.send_400_response(why)
