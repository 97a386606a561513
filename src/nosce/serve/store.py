"""The server's one SQLite file: what was asked and answered, by whom, and what was said about it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nosce.core.errors import JournalError
from nosce.stores._group_commit import GroupCommit

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS keys(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, role TEXT NOT NULL, limits TEXT NOT NULL DEFAULT '{}',
  created REAL NOT NULL, revoked REAL);
CREATE TABLE IF NOT EXISTS requests(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, process TEXT NOT NULL, path TEXT NOT NULL,
  model TEXT NOT NULL, strategy TEXT NOT NULL DEFAULT '', upstream TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'started', status INTEGER, outcome TEXT, confidence REAL, calibrated REAL, source TEXT, reason TEXT,
  calls INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
  seconds REAL, money REAL NOT NULL DEFAULT 0, streamed INTEGER NOT NULL DEFAULT 0, data TEXT);
CREATE INDEX IF NOT EXISTS requests_by_time ON requests(at);
CREATE INDEX IF NOT EXISTS requests_by_key ON requests(key_id, at);
CREATE TABLE IF NOT EXISTS traces(trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, trace TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS feedback(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, score REAL, answer TEXT);
CREATE TABLE IF NOT EXISTS audit(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, question TEXT, answer TEXT, raw REAL, data TEXT,
  state TEXT NOT NULL DEFAULT 'open', score REAL, labelled REAL, by TEXT);
CREATE TABLE IF NOT EXISTS policies(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, state TEXT NOT NULL, labels INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions(digest BLOB PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS lessons(
  id INTEGER PRIMARY KEY AUTOINCREMENT, key_id TEXT NOT NULL, at REAL NOT NULL, trace_id TEXT NOT NULL, frame TEXT NOT NULL,
  asked TEXT NOT NULL, question TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL, kind TEXT NOT NULL DEFAULT 'record',
  origin TEXT NOT NULL DEFAULT '', trust REAL, decided REAL, by TEXT, expires REAL, confirmed INTEGER NOT NULL DEFAULT 0,
  refuted INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0, looks INTEGER NOT NULL DEFAULT 0,
  recalled TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS lessons_by_question ON lessons(key_id, frame, asked);
CREATE INDEX IF NOT EXISTS lessons_live ON lessons(key_id, frame) WHERE state='approved';
CREATE INDEX IF NOT EXISTS lessons_by_trace ON lessons(trace_id);
"""

STARTED = "INSERT OR IGNORE INTO requests(trace_id, key_id, at, process, path, model, strategy, streamed) VALUES (?,?,?,?,?,?,?,?)"
ENDED = (
    "UPDATE requests SET state=?, status=?, upstream=?, outcome=?, confidence=?, calibrated=?, source=?, reason=?, calls=?, "
    "prompt_tokens=?, completion_tokens=?, seconds=?, money=?, data=? WHERE trace_id=?"
)
Write = tuple[str, Sequence[Any]]
_LARGEST = 2**63 - 1  # what a column of whole numbers holds


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, which its owner alone may read; write-ahead log, and ten seconds' patience with other writers."""
    _private(path)
    made = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("PRAGMA synchronous=NORMAL")
    if len(made.execute("PRAGMA table_info(lessons)").fetchall()) == 8:
        made.execute("DROP TABLE lessons")  # of the first version, which never wrote to it
    made.executescript(SCHEMA)
    made.row_factory = sqlite3.Row
    return made


def _private(path: Path) -> None:
    """Make the file where it is missing, and shut it, its log and its index to everybody but their owner.

    A file that is there is not opened: closing it again would drop every lock that this process holds on it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with contextlib.suppress(OSError):
            if one.stat().st_mode & 0o077:
                one.chmod(0o600)


class Store:
    """Reads at once, writes through one thread that commits in groups; several processes may have the file open.

    A full or broken disk makes `put` raise JournalError until writing works again; it is tried once a second.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = f"{os.getpid()}-{time.time_ns():x}"
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
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for statement, values in rows:
                self._writer.execute(statement, values)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
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
            self._commits = self._open()
            self._commits.put((statement, values))

    @property
    def writable(self) -> bool:
        """Whether the last group of writes was kept."""
        return self._commits._error is None

    async def durable(self) -> None:
        """Wait until what was handed in is on disk. Raises JournalError."""
        await self._commits.durable()

    def flush(self) -> None:
        """The same for callers that may block."""
        self._commits.flush()

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query, of what is on disk."""
        with self._lock:
            return self._read.execute(query, values).fetchall()

    def aside(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The same over a connection of its own, for queries that take long: nobody waits for them but who asked."""
        with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as made:
            made.row_factory = sqlite3.Row
            return made.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        found = self.rows(query, *values)
        return found[0] if found else None

    def now(self, statements: Iterable[Write]) -> int:
        """Writes that must be seen at once, in one transaction; the number of rows that the last one changed."""
        made = connect(self.path)
        try:
            made.execute("BEGIN IMMEDIATE")
            changed = 0
            for statement, values in statements:
                changed = made.execute(statement, tuple(_column(value) for value in values)).rowcount
            made.execute("COMMIT")
            return changed
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: {error}") from None
        finally:
            made.close()

    def _mark_interrupted(self) -> None:
        """Requests that a dead process left half done are marked so."""
        running = self.rows("SELECT DISTINCT process FROM requests WHERE state='started'")
        gone = [row["process"] for row in running if row["process"] != self.process and not _alive(row["process"])]
        if gone:
            self.now([("UPDATE requests SET state='interrupted' WHERE state='started' AND process=?", (one,)) for one in gone])

    def forget(
        self, *, before: float | None = None, key_id: str | None = None, trace_id: str | None = None, lessons: bool = True
    ) -> int:
        """Delete what was kept of requests: older than a time, of a key, or of one trace; how many requests that were.

        Lessons go with them, unless told otherwise: they have a time of their own.
        """
        clauses = [("at < ?", before), ("key_id = ?", key_id), ("trace_id = ?", trace_id)]
        where = " AND ".join(clause for clause, value in clauses if value is not None)
        values = tuple(value for _, value in clauses if value is not None)
        if not where:
            return 0
        tables = ("traces", "feedback", "audit", *(["lessons"] if lessons else []), "requests")
        return self.now([(f"DELETE FROM {table} WHERE {where}", values) for table in tables])

    def close(self) -> None:
        """Write what is left and close."""
        with contextlib.suppress(JournalError):
            self._commits.close()
        self._read.close()
        self._writer.close()


def _alive(process: str) -> bool:
    pid = int(process.partition("-")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


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
