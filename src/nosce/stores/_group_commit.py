"""One thread that writes what many hand in, a group at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from nosce.core.errors import JournalError

Row = TypeVar("Row")
_LINGER = 0.02  # seconds a group gathers when nobody waits for it
_HURRY = 0.001  # seconds it gathers when somebody does
_MOST = 20_000  # rows that may wait; beyond that `put` blocks, so memory stays flat


class GroupCommit(Generic[Row]):
    """Rows go in from any thread; `write` gets them in order, in groups, in one thread of its own.

    `write` is one transaction: it keeps the whole group or raises. After it raised, everything raises that
    JournalError: nothing is written behind a hole.
    """

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._write = write
        self._rows: list[Row] = []
        self._handed = self._kept = 0
        self._waiters: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._error: JournalError | None = None
        self._closing = self._hurry = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, row: Row) -> None:
        """Hand in a row. Raises JournalError when an earlier group could not be written."""
        with self._changed:
            while len(self._rows) >= _MOST and self._error is None:
                self._wake()
                self._changed.wait()
            self._check()
            if self._closing:
                raise JournalError("the journal is closed")
            self._rows.append(row)
            self._handed += 1
            if len(self._rows) == 1:
                self._changed.notify_all()

    async def durable(self) -> None:
        """Return once everything handed in so far is kept. Raises JournalError when it can't be."""
        loop = asyncio.get_running_loop()
        with self._changed:
            self._check()
            if self._kept >= self._handed:
                return
            future: asyncio.Future[None] = loop.create_future()
            self._waiters.append((self._handed, loop, future))
            self._wake()
        await future

    def flush(self) -> None:
        """The same for callers that may block."""
        with self._changed:
            goal = self._handed
            while self._kept < goal and self._error is None:
                self._wake()
                self._changed.wait()
            self._check()

    def unwritten(self) -> list[Row]:
        """Rows that were handed in, and were in no group yet when writing failed."""
        with self._changed:
            return self._rows if self._error is not None else []

    def close(self) -> None:
        """Write what is left and end the thread. Raises JournalError when it can't be written."""
        with self._changed:
            self._closing = True
            self._wake()
        self._thread.join()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise JournalError(str(self._error))

    def _wake(self) -> None:
        self._hurry = True
        self._changed.notify_all()

    def _run(self) -> None:
        while (rows := self._gather()) is not None:
            try:
                self._write(rows)
            except JournalError as error:
                self._settle(0, error)
                return
            except Exception as error:
                self._settle(0, JournalError(f"the journal could not be written: {error}"))
                return
            self._settle(len(rows), None)

    def _gather(self) -> list[Row] | None:
        """The next group, or None when there is none and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._closing)
            self._changed.wait_for(lambda: self._hurry or self._closing, timeout=_LINGER)
            if self._hurry and not self._closing and len(self._rows) < _MOST:
                self._changed.wait_for(lambda: self._closing, timeout=_HURRY)
            rows, self._rows, self._hurry = self._rows, [], False
            self._changed.notify_all()
            return rows or None if self._closing else rows

    def _settle(self, kept: int, error: JournalError | None) -> None:
        with self._changed:
            self._kept += kept
            self._error = error
            done = [w for w in self._waiters if error is not None or w[0] <= self._kept]
            self._waiters = [w for w in self._waiters if error is None and w[0] > self._kept]
            self._changed.notify_all()
        for _, loop, future in done:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, future, error)


def _resolve(future: asyncio.Future[None], error: JournalError | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(JournalError(str(error)))
