"""The journal of a run: every response and every result, on disk before anyone builds on it.

A folder holds `journal.sqlite` (SQLite, write-ahead log, full synchronisation). Whatever `durable` returned for
survives `kill -9` and a power cut; what was in flight is listed when the journal is opened again.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from nosce.core.errors import JournalError
from nosce.stores._group_commit import GroupCommit

FILE = "journal.sqlite"
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE calls (key TEXT PRIMARY KEY, started REAL, request TEXT, response TEXT, cost TEXT);
CREATE INDEX in_flight ON calls (key) WHERE response IS NULL;
CREATE TABLE results (problem_id TEXT PRIMARY KEY, answer TEXT NOT NULL, trace TEXT NOT NULL);
"""
_STARTED = "INSERT INTO calls (key, started, request) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
_RESPONDED = """INSERT INTO calls (key, response, cost) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET response = excluded.response, cost = excluded.cost WHERE response IS NULL"""
_RESULT = "INSERT INTO results VALUES (?, ?, ?) ON CONFLICT (problem_id) DO NOTHING"
_RESULTS = "SELECT rowid, problem_id, answer, trace FROM results WHERE rowid > ? ORDER BY rowid LIMIT 256"
_UNDER = "SELECT problem_id, answer FROM results WHERE problem_id >= ? AND problem_id < ? ORDER BY rowid"
_Row = tuple[str, tuple[Any, ...]]


class Journal:
    """Calls by key and results by problem. Writes are handed to one thread and grouped; `durable` waits for them."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: IO[str]) -> None:
        """Use `Journal.open`."""
        self.folder = folder
        self._lock = lock
        self._write_to = connection
        self._read_from = _connect(folder / FILE)
        self._reading = threading.Lock()
        self._recent: dict[str, str] = {}
        self._in_flight = [key for (key,) in self._rows("SELECT key FROM calls WHERE response IS NULL ORDER BY rowid")]
        self._writer: GroupCommit[_Row] = GroupCommit(self._write)

    @classmethod
    def open(cls, path: Path, fingerprint: dict[str, Any], *, resume: bool) -> Journal:
        """Open the journal in the folder `path`, made if need be.

        `fingerprint` says which run this is, as plain JSON data. With `resume`, an empty folder starts a new run.
        Raises JournalError when the folder holds a run and `resume` is off, when it holds another run (naming the
        first field that differs), when another process is writing it, or when it cannot be written. A run that ended
        before anything was asked holds nothing, and is no reason to refuse another.
        """
        folder = Path(path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "journal.lock").open("a")
        except OSError as error:
            raise JournalError(f"{folder}: cannot be written: {error.strerror or error}") from None
        try:
            _claim(folder, lock)
            connection = _connect(folder / FILE)
            _settle_identity(connection, folder, fingerprint, resume)
            return cls(folder, connection, lock)
        except (JournalError, sqlite3.Error) as error:
            lock.close()
            raise _failure(folder, error) from None

    def started(self, key: str, request: str = "") -> None:
        """A call is under way; `request` may say in a few words which."""
        self._writer.put((_STARTED, (key, time.time(), request)))

    def responded(self, key: str, response: str, cost: str = "") -> None:
        """A call was answered. The first response to a key stands."""
        response = _storable(response)
        self._recent.setdefault(key, response)
        self._writer.put((_RESPONDED, (key, response, cost)))

    def response(self, key: str) -> str | None:
        """The response to a call, in this run or before a restart."""
        if (recent := self._recent.get(key)) is not None:
            return recent
        found = self._rows("SELECT response FROM calls WHERE key = ?", (key,))
        return found[0][0] if found else None

    def result(self, problem_id: str, answer_json: str, trace_json: str) -> None:
        """The end of one problem. The first result of a problem stands."""
        self._writer.put((_RESULT, (problem_id, _storable(answer_json), _storable(trace_json))))

    def results(self) -> Iterator[tuple[str, str, str]]:
        """(problem id, answer, trace) in the order in which they came, everything handed in so far included."""
        self._writer.flush()
        last = 0
        while page := self._rows(_RESULTS, (last,)):
            yield from ((problem_id, answer, trace) for _, problem_id, answer, trace in page)
            last = page[-1][0]

    def under(self, start: str) -> dict[str, str]:
        """Answers by problem id, of the ids that begin with `start`."""
        self._writer.flush()
        return dict(self._rows(_UNDER, (start, f"{start}\U0010ffff")))

    def done(self) -> set[str]:
        """The problems that have a result."""
        self._writer.flush()
        return {row[0] for row in self._rows("SELECT problem_id FROM results")}

    def in_flight(self) -> list[str]:
        """Calls that were started and never answered when the journal was opened; they may have to be paid again."""
        return list(self._in_flight)

    async def durable(self) -> None:
        """Return once everything handed in so far is on disk. Raises JournalError when it can't be."""
        await self._writer.durable()

    def close(self) -> None:
        """Write what is left and let go of the folder. Raises JournalError when something was not written."""
        try:
            self._writer.close()
        finally:
            self._read_from.close()
            self._write_to.close()
            self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._reading:
            try:
                return self._read_from.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise _failure(self.folder, error) from None

    def _write(self, rows: list[_Row]) -> None:
        """One transaction, statements in the order handed in. Runs in the writer's thread."""
        try:
            with self._write_to:
                self._write_to.execute("BEGIN IMMEDIATE")
                for statement in (_STARTED, _RESPONDED, _RESULT):
                    self._write_to.executemany(statement, (values for kind, values in rows if kind is statement))
        except sqlite3.Error as error:
            raise _failure(self.folder, error) from None
        for kind, values in rows:
            if kind is _RESPONDED:
                self._recent.pop(values[0], None)


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _settle_identity(connection: sqlite3.Connection, folder: Path, mine: dict[str, Any], resume: bool) -> None:
    """Make a new journal, or see that the one that is there belongs to this run."""
    text = json.dumps(mine, sort_keys=True)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute("INSERT INTO meta VALUES ('fingerprint', ?)", (text,))
            return
        if not {"meta", "calls", "results"} <= tables:
            raise JournalError(f"{folder / FILE} is no journal of a run; give another folder")
        if not any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in ("calls", "results")):
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('fingerprint', ?)", (text,))
            return
        row = connection.execute("SELECT value FROM meta WHERE name = 'fingerprint'").fetchone()
    theirs = json.loads(row[0]) if row else {}
    if not resume:
        raise JournalError(f"{folder} holds a run already; resume it, or give another folder")
    for name in sorted({*theirs, *json.loads(text)}):
        if theirs.get(name) != json.loads(text).get(name):
            was, now = _short(theirs.get(name)), _short(mine.get(name))
            raise JournalError(f"{folder} holds another run: {name} was {was} and is {now} now; give another folder")


def _storable(text: str) -> str:
    """The text with half a surrogate pair, which a broken server may send, written as its JSON escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _claim(folder: Path, lock: IO[str]) -> None:
    """Keep other processes out until this one ends, however it ends."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(f"{folder}: another process is writing this run; wait for it or end it") from None


def _failure(folder: Path, error: Exception) -> JournalError:
    text = str(error)
    if isinstance(error, JournalError):
        return error
    if "full" in text:
        return JournalError(f"{folder}: the disk is full; free some space, then resume: nothing written is lost")
    if "not a database" in text or "malformed" in text:
        return JournalError(f"{folder / FILE} is no journal of a run ({text}); give another folder")
    return JournalError(f"{folder}: the journal cannot be written or read: {text}")
