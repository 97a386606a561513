"""An answer that was thought about, as the stream that the openai package would have given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any


class Streamed:
    """The chunks of an answer. `metacognition` is known from the start; the last chunk of the answer carries it too."""

    def __init__(self, chunks: Sequence[Any], metacognition: Any) -> None:
        self.metacognition = metacognition
        self._chunks = iter(chunks)


class Stream(Streamed):
    """The same interface as `openai.Stream`: an iterator and a context manager."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._chunks)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.close()

    def close(self) -> None:
        """Give no further chunks."""
        self._chunks = iter(())


class AsyncStream(Streamed):
    """The same interface as `openai.AsyncStream`."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._chunks)
        except StopIteration:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self.close()

    async def close(self) -> None:
        """Give no further chunks."""
        self._chunks = iter(())
