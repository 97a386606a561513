"""The openai package's HTTP client, with a bound on what a server may send back."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

MOST_BYTES = 32 << 20
"""The largest response body that is read; beyond it the call fails."""


class BodyTooLarge(ValueError):
    """The server sends more than MOST_BYTES."""


def http_library() -> ModuleType:
    """The HTTP library that the installed openai package is built on (its name changed between versions)."""
    from openai import DefaultAsyncHttpxClient

    names = [cls.__module__.partition(".")[0] for cls in DefaultAsyncHttpxClient.__mro__]
    return next(sys.modules[name] for name in names if name.startswith("httpx"))


def bounded_client(concurrency: int, most: int = MOST_BYTES) -> Any:
    """An HTTP client whose response bodies raise BodyTooLarge past `most` bytes, error bodies too."""
    from openai import DefaultAsyncHttpxClient

    library = http_library()

    class Bounded(library.AsyncByteStream):  # type: ignore[name-defined, misc]  # the base is known when it runs
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for chunk in self.inner:
                seen += len(chunk)
                if seen > most:
                    raise BodyTooLarge(f"the response is larger than {most >> 20} MiB")
                yield chunk

        async def aclose(self) -> None:
            await self.inner.aclose()

    async def bound(response: Any) -> None:
        response.stream = Bounded(response.stream)

    limits = library.Limits(max_connections=concurrency + 4, max_keepalive_connections=concurrency)
    return DefaultAsyncHttpxClient(event_hooks={"response": [bound]}, limits=limits)
