"""The server's one SQLite file: what was asked and answered, by whom, and what was said about it."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nosce.core.errors import JournalError
from nosce.serve.processes import alive, named
from nosce.serve.schema import connect, opened
from nosce.stores._group_commit import GroupCommit

STARTED = "INSERT OR IGNORE INTO requests(trace_id, key_id, at, process, path, model, strategy, streamed) VALUES (?,?,?,?,?,?,?,?)"
ENDED = (
    "UPDATE requests SET state=?, status=?, upstream=?, outcome=?, confidence=?, calibrated=?, source=?, reason=?, calls=?, "
    "prompt_tokens=?, completion_tokens=?, seconds=?, money=?, data=? WHERE trace_id=?"
)
Write = tuple[str, Sequence[Any]]
INTERRUPTED = "the server was killed while this was under way"
_MOST_LATE = 20_000  # writes that wait in memory for a disk that is full
_LARGEST = 2**63 - 1  # what a column of whole numbers holds


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction, which sees the file as it is while nobody else may write."""

    _made: sqlite3.Connection

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query."""
        return self._made.execute(query, values).fetchall()

    def run(self, statement: str, *values: Any) -> int:
        """A write; how many rows it changed."""
        return self._made.execute(statement, tuple(_column(value) for value in values)).rowcount


class Store:
    """Reads at once, writes through one thread that commits in groups; several processes may have the file open.

    A write is on disk 20 ms after it was handed in, or sooner where somebody waits: a killed process loses no more than that.
    What it had under way is marked `interrupted` by whoever next opens the file, and is charged to nobody, for nobody knows
    what it cost. A full or broken disk makes `put` raise JournalError until writing works again, which is tried once a
    second; what had been handed in by then, and what is handed in by `keep`, waits in memory and is written first.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = named()
        self._late: list[Write] = []
        self._well = True
        try:
            self._read = connect(path)
            self._writer = connect(path)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"{path}: {error}") from None
        self._lock = threading.Lock()
        self._commits = self._open()
        self._broken_at = 0.0
        self._mark_interrupted()

    def _open(self) -> GroupCommit[Write]:
        return GroupCommit(self._write)

    def _write(self, rows: list[Write]) -> None:
        late = list(self._late)
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for statement, values in [*late, *rows]:
                self._writer.execute(statement, values)
            self._writer.execute("COMMIT")
            del self._late[: len(late)]
            self._well = True
        except sqlite3.Error as error:
            self._well = False
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                self._late[len(late) : len(late)] = rows[: max(0, _MOST_LATE - len(late))]
            raise JournalError(f"{self.path}: {error}") from None

    def put(self, statement: str, *values: Any) -> None:
        """Hand in a write. Raises JournalError while the file cannot be written."""
        values = tuple(_column(value) for value in values)
        try:
            self._commits.put((statement, values))
        except JournalError:
            if time.monotonic() - self._broken_at < 1:
                raise
            self._broken_at = time.monotonic()
            self._late += self._commits.unwritten()
            self._commits = self._open()
            self._commits.put((statement, values))

    def keep(self, statement: str, *values: Any) -> None:
        """Hand in a write of what has happened already: while the file cannot be written it waits in memory. Never raises."""
        try:
            self.put(statement, *values)
        except JournalError:
            if len(self._late) < _MOST_LATE:
                self._late.append((statement, tuple(_column(value) for value in values)))

    @property
    def writable(self) -> bool:
        """Whether the last group of writes was kept."""
        return self._well

    def mended(self) -> bool:
        """Whether the file can be written: where the last group was not kept, that is tried again, once a second."""
        if self.writable:
            return True
        try:
            self.put("INSERT OR REPLACE INTO meta VALUES ('mended', ?)", str(time.time()))
            self.flush()
        except JournalError:
            return False
        return True

    async def durable(self) -> None:
        """Wait until what was handed in is on disk. Raises JournalError."""
        await self._commits.durable()

    def flush(self) -> None:
        """The same for callers that may block."""
        self._commits.flush()

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query, of what is on disk. Raises JournalError where it cannot be read."""
        try:
            with self._lock:
                return self._read.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from None

    def aside(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The same over a connection of its own, for queries that take long: nobody waits for them but who asked."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as made:
            made.row_factory = sqlite3.Row
            return made.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found = self.rows(query, *values)
        return found[0] if found else None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Reads and writes that no other process comes between; kept whole when the block ends, not at all when it raises."""
        try:
            with contextlib.closing(opened(self.path)) as made:
                made.execute("BEGIN IMMEDIATE")
                yield Transaction(made)
                made.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from None

    def now(self, statements: Iterable[Write]) -> int:
        """Writes that must be seen at once, in one transaction; the number of rows that the last one changed."""
        changed = 0
        with self.transaction() as made:
            for statement, values in statements:
                changed = made.run(statement, *values)
        return changed

    def _mark_interrupted(self) -> None:
        """Requests that a dead process left half done are marked so."""
        running = self.rows("SELECT DISTINCT process FROM requests WHERE state='started'")
        gone = [row["process"] for row in running if row["process"] != self.process and not alive(row["process"])]
        if gone:
            sql = "UPDATE requests SET state='interrupted', reason=? WHERE state='started' AND process=?"
            self.now([(sql, (INTERRUPTED, one)) for one in gone])

    def forget(
        self, *, before: float | None = None, key_id: str | None = None, trace_id: str | None = None, lessons: bool = True
    ) -> int:
        """Delete what was kept of requests: older than a time, of a key, or of one trace; how many requests that were.

        Lessons go with them, unless told otherwise: they have a time of their own. What is deleted is overwritten, and the
        log that may hold it still is emptied, at the latest by the next call.
        """
        clauses = [("at < ?", before), ("key_id = ?", key_id), ("trace_id = ?", trace_id)]
        where = " AND ".join(clause for clause, value in clauses if value is not None)
        values = tuple(value for _, value in clauses if value is not None)
        if not where:
            return 0
        tables = ("traces", "thoughts", "decisions", "feedback", "audit", *(["lessons"] if lessons else []), "requests")
        count = self.now([(f"DELETE FROM {table} WHERE {where}", values) for table in tables])
        with contextlib.suppress(sqlite3.Error), contextlib.closing(opened(self.path)) as made:
            made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    def close(self) -> None:
        """Write what is left and close."""
        with contextlib.suppress(JournalError):
            self._commits.close()
        if self._late:
            with contextlib.suppress(JournalError):
                self._write(self._commits.unwritten())
        self._read.close()
        self._writer.close()


def packed(data: Any) -> str:
    """Plain data as compact JSON, whatever is in it: NaN and infinities become null, halves of characters are escaped."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"))
    return text if writable(text) else json.dumps(json.loads(text), separators=(",", ":"))


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _finite(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def writable(text: str) -> bool:
    """Whether a text can be written as UTF-8: JSON's escapes can make halves of characters, which cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _column(value: Any) -> Any:
    """A value that the file takes: one that it does not must not take the whole group of writes with it."""
    if isinstance(value, str) and not writable(value):
        return value.encode(errors="replace").decode()
    return max(-_LARGEST, min(_LARGEST, value)) if isinstance(value, int) else value
