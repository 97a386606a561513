"""Asynchronous work for callers that do not wait."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """An event loop in a thread of its own, for clients that do not wait: it works inside a notebook's running loop too."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(32, thread_name_prefix="nosce-call"))
        threading.Thread(target=self._loop.run_forever, name="nosce-wrap", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The work's result; an interrupt cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


_LOOP: list[Loop] = []
_MAKING = threading.Lock()


def loop() -> Loop:
    """The process's one such loop."""
    with _MAKING:
        if not _LOOP:
            _LOOP.append(Loop())
        return _LOOP[0]
