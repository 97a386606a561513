"""The same work for many problems at once, where one that fails must not stop the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from nosce.core.errors import ModelError, OutOfScope

T = TypeVar("T")


async def each(work: Iterable[Coroutine[Any, Any, T]]) -> list[T | None]:
    """The results in order; None where the question is out of scope or the model failed. Other errors are raised."""
    return list(await asyncio.gather(*(_one(item) for item in work)))


async def _one(item: Coroutine[Any, Any, T]) -> T | None:
    try:
        return await item
    except (OutOfScope, ModelError):
        return None
