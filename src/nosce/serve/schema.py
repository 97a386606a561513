"""The tables of the server's one SQLite file, and how it is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

PATIENCE = 10.0
"""Seconds for which a write waits for another process's to end."""

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
CREATE INDEX IF NOT EXISTS requests_seen ON requests(
  at, key_id, state, outcome, strategy, upstream, confidence, calls, prompt_tokens, completion_tokens, seconds, money);
CREATE INDEX IF NOT EXISTS requests_by_key ON requests(key_id, at);
CREATE INDEX IF NOT EXISTS requests_interrupted ON requests(process) WHERE state='interrupted';
CREATE TABLE IF NOT EXISTS traces(trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, trace TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS thoughts(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, strategy TEXT NOT NULL, spent INTEGER NOT NULL,
  prompt REAL NOT NULL, thought REAL NOT NULL);
CREATE INDEX IF NOT EXISTS thoughts_seen ON thoughts(at, key_id, strategy, spent, prompt, thought);
CREATE TABLE IF NOT EXISTS decisions(
  trace_id TEXT NOT NULL, key_id TEXT NOT NULL, at REAL NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL, sure REAL);
CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions(at);
CREATE INDEX IF NOT EXISTS decisions_by_trace ON decisions(trace_id);
CREATE TABLE IF NOT EXISTS feedback(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, score REAL, answer TEXT);
CREATE TABLE IF NOT EXISTS audit(
  trace_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, question TEXT, answer TEXT, raw REAL, data TEXT,
  state TEXT NOT NULL DEFAULT 'open', score REAL, labelled REAL, by TEXT, drawn TEXT NOT NULL DEFAULT 'lot');
CREATE INDEX IF NOT EXISTS audit_waiting ON audit(state, at);
CREATE INDEX IF NOT EXISTS audit_labelled ON audit(state, labelled);
CREATE TABLE IF NOT EXISTS policies(
  id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, state TEXT NOT NULL, labels INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sessions(digest BLOB PRIMARY KEY, key_id TEXT NOT NULL, at REAL NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS lessons(
  id INTEGER PRIMARY KEY AUTOINCREMENT, key_id TEXT NOT NULL, at REAL NOT NULL, trace_id TEXT NOT NULL, frame TEXT NOT NULL,
  asked TEXT NOT NULL, question TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL,
  origin TEXT NOT NULL DEFAULT '', trust REAL, decided REAL, by TEXT, expires REAL, confirmed INTEGER NOT NULL DEFAULT 0,
  refuted INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0, looks INTEGER NOT NULL DEFAULT 0,
  recalled TEXT NOT NULL DEFAULT '[]', turns TEXT NOT NULL DEFAULT '[]', unmet INTEGER NOT NULL DEFAULT 0,
  gist TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS lessons_live ON lessons(key_id, frame) WHERE state='approved';
CREATE INDEX IF NOT EXISTS lessons_by_trace ON lessons(trace_id);
"""

INDEXES = """
DROP INDEX IF EXISTS lessons_by_question;
DROP INDEX IF EXISTS requests_by_time;
CREATE INDEX IF NOT EXISTS lessons_by_gist ON lessons(key_id, frame, gist);
CREATE INDEX IF NOT EXISTS lessons_unmet ON lessons(at) WHERE unmet=1;
"""
DIGESTS = """
INSERT OR IGNORE INTO thoughts
  SELECT r.trace_id, r.key_id, t.at, r.strategy, r.prompt_tokens + r.completion_tokens,
    MAX(json_extract(e.value, '$[3].sample.prompt_tokens')), AVG(json_extract(e.value, '$[3].sample.completion_tokens')) AS thought
  FROM (SELECT * FROM traces ORDER BY at DESC LIMIT 5000) t JOIN requests r ON r.trace_id = t.trace_id,
    json_each(t.trace, '$.events') e
  WHERE r.state='done' AND json_extract(e.value, '$[1]')='sampled' AND json_extract(e.value, '$[3].act') IN ('think', 'direct')
  GROUP BY r.trace_id HAVING thought > 0;
INSERT INTO decisions
  SELECT t.trace_id, t.key_id, t.at, json_extract(e.value, '$[3].action') AS action,
    COALESCE(json_extract(e.value, '$[3].reason'), ''), json_extract(e.value, '$[3].sure')
  FROM (SELECT * FROM traces ORDER BY at DESC LIMIT 5000) t, json_each(t.trace, '$.events') e
  WHERE json_extract(e.value, '$[1]')='decided' AND action NOT IN ('abstain', 'ask');
"""
"""What `keeping.digested` writes of new traces, of the newest traces in a file of an earlier version."""

_ADDED = (
    ("audit", "drawn", "TEXT NOT NULL DEFAULT 'lot'", ""), ("lessons", "turns", "TEXT NOT NULL DEFAULT '[]'", ""),
    ("lessons", "unmet", "INTEGER NOT NULL DEFAULT 0", ""),
    ("lessons", "gist", "TEXT NOT NULL DEFAULT ''", "UPDATE lessons SET gist=asked WHERE gist=''"),
)  # fmt: skip
"""Columns that files of earlier versions lack, and what to put into them."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, which its owner alone may read; write-ahead log, and ten seconds' patience with other writers."""
    _private(path)
    made = opened(path)
    made.execute("PRAGMA journal_mode=WAL")
    if len(made.execute("PRAGMA table_info(lessons)").fetchall()) == 8:
        made.execute("DROP TABLE lessons")  # of the first version, which never wrote to it
    old = not made.execute("SELECT 1 FROM sqlite_master WHERE name='thoughts'").fetchone()
    made.executescript(SCHEMA)
    _grown(made)
    made.executescript(INDEXES)
    if old and made.execute("SELECT 1 FROM traces LIMIT 1").fetchone():
        made.executescript(DIGESTS)
    return made


def opened(path: Path) -> sqlite3.Connection:
    """A connection to a file whose tables are there."""
    made = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    made.execute("PRAGMA synchronous=NORMAL")
    made.execute("PRAGMA secure_delete=ON")  # whoever deletes a text expects it to be gone from the file
    made.row_factory = sqlite3.Row
    return made


def _grown(made: sqlite3.Connection) -> None:
    """Give a file of an earlier version the columns that it lacks; of several processes that open it, one does."""
    for table, column, kind, filled in _ADDED:
        if column not in {row["name"] for row in made.execute(f"PRAGMA table_info({table})")}:
            with contextlib.suppress(sqlite3.OperationalError):  # another process was faster
                made.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            made.execute(filled)


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
