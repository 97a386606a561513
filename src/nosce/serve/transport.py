"""The pool of connections to the upstreams: bytes out, bytes in, nothing parsed.

It is aiohttp's, whose parser is C, and not httpx's, though that is what the openai package brings along: in the same proxy, 32
requests at once, 598 a second pass through with aiohttp, 355 with httpx and 360 with httpx2, of 791 without a proxy; one at a
time, they add 0.5, 1.2 and 1.4 ms (p50), and 0.6, 1.3 and 1.4 ms of processor time each (`python -m bench.transports`, two
cores, one run). With httpx the proxy would be at 45% of direct, the least that it promises.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 64 << 20
"""The largest answer that is read from an upstream, streamed or not."""


class Failed(Exception):
    """No usable answer came: the connection failed, broke off, took too long or sent too much. `sent`: some bytes arrived."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, headers (lower-case names) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Streamed:
    """An answer under way: its head, and its pieces as they come. Raises Failed when it breaks off."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    async def pieces(self) -> AsyncIterator[bytes]:
        """Every piece at once when it arrives, at most MOST_BYTES in all."""
        import aiohttp

        seen = 0
        try:
            async for piece in self._response.content.iter_any():
                seen += len(piece)
                if seen > MOST_BYTES:
                    raise Failed(f"the upstream sent more than {MOST_BYTES >> 20} MiB")
                yield piece
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Failed(_said(error)) from None


class Transport:
    """One pool per process, made in the running loop."""

    def __init__(self, connections: int = 4096) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool; opened when first used."""
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=60, socket_factory=_socket)
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=1 << 16,
                skip_auto_headers=("User-Agent", "Accept-Encoding", "Content-Type", "Accept"), trust_env=False,
            )  # fmt: skip
        return self._session

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
        """The whole answer. Raises Failed."""
        import aiohttp

        try:
            limit = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, 10))
            async with self.session.post(url, data=body, headers=headers, timeout=limit, allow_redirects=False) as response:
                return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, await _whole(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Failed(_said(error)) from None

    async def get(self, url: str, headers: Mapping[str, str], timeout: float) -> Reply:
        """The whole answer of a GET. Raises Failed."""
        import aiohttp

        try:
            limit = aiohttp.ClientTimeout(total=timeout)
            async with self.session.get(url, headers=headers, timeout=limit, allow_redirects=False) as response:
                return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, await _whole(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Failed(_said(error)) from None

    @asynccontextmanager
    async def stream(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> AsyncIterator[Streamed]:
        """An answer under way; leaving the block before its end closes the connection, and so stops the upstream."""
        import aiohttp

        limit = aiohttp.ClientTimeout(total=None, sock_connect=min(timeout, 10), sock_read=timeout)
        try:
            response = await self.session.post(url, data=body, headers=headers, timeout=limit, allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Failed(_said(error)) from None
        try:
            yield Streamed(response)
        finally:
            response.close() if not response.content.at_eof() else response.release()

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MOST_BYTES:
        raise ValueError(f"the answer is larger than {MOST_BYTES >> 20} MiB")
    if response.content_length is not None:
        return await response.read()
    parts, seen = [], 0
    async for piece in response.content.iter_any():
        seen += len(piece)
        if seen > MOST_BYTES:
            response.close()
            raise ValueError(f"the answer is larger than {MOST_BYTES >> 20} MiB")
        parts.append(piece)
    return b"".join(parts)


def _socket(address: Any) -> socket.socket:
    made = socket.socket(address[0], address[1], address[2])
    if address[0] in (socket.AF_INET, socket.AF_INET6):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {str(error)[:120]}" if str(error) else type(error).__name__
