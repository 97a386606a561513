"""The book of lessons: what answers taught whose truth was told, who vouches for it, and how long it is kept."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row
from typing import Literal

from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError
from nosce.memory.store import Item
from nosce.memory.store import Store as Index
from nosce.metrics.proportion import clopper_pearson
from nosce.serve.store import Store

State = Literal["proposed", "approved", "rejected"]
LONGEST = 2000
"""Characters of a question or an answer beyond which nothing is learned from it."""

_SHOWN = "state <> 'draft'"
_SAME = "key_id=? AND frame=? AND asked=?"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: what was asked, what is to be remembered, where it comes from and how far it is trusted.

    kind: `record` (the right answer to `question`) or `behavior` (a general instruction). origin: `feedback` (the asker said
    so), `audit` (an auditor did), `reflection` (the model wrote it about an audited answer). trust in [0, 1]: 1 where an
    auditor or an operator vouches, else how often this key's feedback agreed with audits. confirmed, refuted: later audits
    of the same question. used: how often it was recalled.
    """

    id: int
    key_id: str
    at: float
    trace_id: str
    kind: str
    question: str
    text: str
    state: str
    origin: str
    trust: float | None
    decided: float | None
    by: str | None
    expires: float | None
    confirmed: int
    refuted: int
    used: int


@dataclass(frozen=True, slots=True)
class Lessons:
    """The lessons of a store. Drafts (answers whose truth nobody told yet) are no lessons and are never shown or recalled.

    A lesson is recalled for its own key alone, for the same frame (all that stood around the question), once it is
    approved and while it is fresh: `keep_days` from the approval.
    """

    store: Store
    keep_days: float = 90.0

    def lessons(self, key_id: str | None = None, *, state: State | None = None, limit: int = 200) -> list[Lesson]:
        """The lessons of a key (of all keys: None), newest first."""
        wanted = [("key_id=?", key_id), ("state=?", state)]
        where = " AND ".join([_SHOWN, *(clause for clause, value in wanted if value is not None)])
        values = [value for _, value in wanted if value is not None]
        rows = self.store.rows(f"SELECT * FROM lessons WHERE {where} ORDER BY id DESC LIMIT ?", *values, limit)
        return [_lesson(row) for row in rows]

    def lesson(self, number: int) -> Lesson | None:
        """The lesson of this number."""
        row = self.store.one(f"SELECT * FROM lessons WHERE id=? AND {_SHOWN}", number)
        return None if row is None else _lesson(row)

    def approve(self, number: int, by: str = "operator") -> None:
        """Let a lesson be recalled; whoever approves vouches for it. Raises InputError where there is none."""
        self._decided(number, "approved", by, 1.0)

    def reject(self, number: int, by: str = "operator") -> None:
        """Never recall a lesson, nor take it up again. Raises InputError where there is none."""
        self._decided(number, "rejected", by, 0.0)

    def _decided(self, number: int, state: State, by: str, trust: float) -> None:
        now = time.time()
        sql = f"UPDATE lessons SET state=?, by=?, trust=?, decided=?, expires=? WHERE id=? AND {_SHOWN}"
        if not self.store.now([(sql, (state, by, trust, now, now + self.keep_days * _DAY, number))]):
            raise InputError(f"there is no lesson {number}; `nosce serve lessons list` shows them")

    def forget(self, number: int, key_id: str | None = None) -> bool:
        """Delete a lesson (of a key, where one is named); whether there was one."""
        where, values = ("id=?", (number,)) if key_id is None else ("id=? AND key_id=?", (number, key_id))
        return bool(self.store.now([(f"DELETE FROM lessons WHERE {where}", values)]))

    def forget_all(self, key_id: str) -> int:
        """Delete every lesson and draft of a key; how many."""
        return self.store.now([("DELETE FROM lessons WHERE key_id=?", (key_id,))])

    def expire(self, before: float) -> int:
        """Delete approved lessons whose time is up, and whatever else was noted before a time; how many."""
        due = "(expires IS NOT NULL AND expires < ?) OR (state <> 'approved' AND at < ?)"
        return self.store.now([(f"DELETE FROM lessons WHERE {due}", (time.time(), before))])

    # -- what is learned ----------------------------------------------------------------------------------------------

    def draft(self, key_id: str, trace_id: str, frame: str, question: str, answer: str) -> None:
        """Note an answer from which something may be learned once its truth is told."""
        if max(len(question), len(answer)) <= LONGEST:
            self.store.put(
                "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state) VALUES (?,?,?,?,?,?,?,'draft')",
                key_id, time.time(), trace_id, frame, asked(question), question, answer,
            )  # fmt: skip

    def volunteered(self, trace_id: str, key_id: str) -> None:
        """The asker says that the answer was right: what the model wrote is proposed, with no more trust than such words earned.

        Nothing that the asker wrote becomes a lesson, and an answer that was proposed or decided already is no second one.
        """
        row = self._of_trace(trace_id, "draft")
        if row is None or row["key_id"] != key_id:
            return
        known = any(_alike(other["text"], row["text"]) for other in self._same(row))
        sql = "UPDATE lessons SET state='proposed', origin='feedback', trust=? WHERE id=?"
        drop = ("DELETE FROM lessons WHERE id=?", (row["id"],))
        self.store.now([drop if known else (sql, (self.credit(key_id), row["id"]))])

    def credit(self, key_id: str) -> float:
        """How far the feedback of a key is believed: (agreed + 1) / (n + 2) over its answers that were audited as well."""
        row = self.store.one(
            "SELECT COUNT(*) AS n, COALESCE(SUM((f.score >= 0.5) = (a.score >= 0.5)), 0) AS agreed FROM feedback f "
            "JOIN audit a ON a.trace_id = f.trace_id WHERE f.key_id=? AND a.state='labelled' AND f.score IS NOT NULL", key_id,
        )  # fmt: skip
        return (row["agreed"] + 1) / (row["n"] + 2) if row else 0.5

    def audited(self, trace_id: str, score: float, by: str, answer: str | None = None) -> None:
        """An auditor's verdict: a right answer is a lesson, a wrong one is none; `answer`, the auditor's own, is one too."""
        row = self._of_trace(trace_id)
        if row is None:
            return
        right = row["text"] if score >= 0.5 else answer
        others = [other for other in self._same(row) if other["id"] != row["id"]] if right is not None else []
        alike = {other["id"]: _alike(other["text"], str(right)) for other in others}
        told = [
            (f"UPDATE lessons SET {'confirmed=confirmed' if same else 'refuted=refuted'}+1 WHERE id=?", (number,))
            for number, same in alike.items()
        ]
        if any(alike[other["id"]] and other["state"] == "approved" for other in others):
            self.store.now([*told, ("DELETE FROM lessons WHERE id=?", (row["id"],))])  # known already, and now confirmed
            return
        now = time.time()
        state, text = ("rejected", row["text"]) if right is None else ("approved", right)
        values = (state, text, float(right is not None), now, by, now + self.keep_days * _DAY, row["id"])
        sql = "UPDATE lessons SET state=?, origin='audit', text=?, trust=?, decided=?, by=?, expires=? WHERE id=?"
        self.store.now([*told, (sql, values)])

    def reflected(self, of: Lesson, lines: Sequence[str]) -> int:
        """Propose what the model wrote about an audited answer; an operator decides. How many were new."""
        sql = (
            "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, kind, origin, trust) "
            "SELECT key_id, ?, trace_id, frame, asked, question, ?, 'proposed', 'behavior', 'reflection', ? FROM lessons "
            "WHERE id=? AND NOT EXISTS (SELECT 1 FROM lessons WHERE kind='behavior' AND key_id=? AND text=?)"
        )
        short = [line for line in lines if len(line) <= LONGEST]
        return sum(self.store.now([(sql, (time.time(), line, of.trust, of.id, of.key_id, line))]) for line in short)

    # -- what is recalled ---------------------------------------------------------------------------------------------

    def recall(self, key_id: str, frame: str, question: str, most: int = 3) -> list[Lesson]:
        """The approved lessons for a question, at most `most`: records of the same question, then behaviors of like ones.

        Records that contradict each other are all left out until somebody decides between them.
        """
        fresh = "state='approved' AND (expires IS NULL OR expires > ?)"
        records = self.store.rows(
            f"SELECT * FROM lessons WHERE {_SAME} AND kind='record' AND {fresh} ORDER BY id DESC",
            key_id, frame, asked(question), time.time(),
        )  # fmt: skip
        agreed = [row for row in records[:1] if all(_alike(row["text"], other["text"]) for other in records)]
        general = self.store.rows(
            f"SELECT * FROM lessons WHERE key_id=? AND frame=? AND kind='behavior' AND {fresh} ORDER BY id LIMIT 1000",
            key_id, frame, time.time(),
        )  # fmt: skip
        found = [*(_lesson(row) for row in agreed), *_nearest(question, [_lesson(row) for row in general], most)][:most]
        for lesson in found:
            self.store.put("UPDATE lessons SET used=used+1 WHERE id=?", lesson.id)
        return found

    def reliability(self, level: float = 0.95) -> float:
        """A lower bound of P(right) of a recalled record: exact binomial, from audits of questions that had one; 0 without any."""
        row = self.store.one("SELECT SUM(confirmed) AS yes, SUM(refuted) AS no FROM lessons WHERE state='approved'")
        yes, no = (row["yes"] or 0, row["no"] or 0) if row else (0, 0)
        return clopper_pearson(yes, yes + no, 2 * level - 1)[0] if yes else 0.0

    def _of_trace(self, trace_id: str, state: str | None = None) -> Row | None:
        row = self.store.one("SELECT * FROM lessons WHERE trace_id=? AND kind='record'", trace_id)
        return row if row is not None and state in (None, row["state"]) else None

    def _same(self, row: Row) -> list[Row]:
        """The lessons, decided or proposed, about the question of a row, itself among them unless it is a draft."""
        about = (row["key_id"], row["frame"], row["asked"])
        return self.store.rows(f"SELECT * FROM lessons WHERE {_SAME} AND kind='record' AND {_SHOWN}", *about)


def asked(question: str) -> str:
    """What makes two questions one: the text in Unicode's normal form, without case and with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", question).casefold().split())


def _alike(a: str, b: str) -> bool:
    return Equivalence("number").same(a, b)


def _nearest(question: str, general: Sequence[Lesson], most: int) -> list[Lesson]:
    by_key = {(lesson.question, lesson.text): lesson for lesson in general}
    index = Index([Item(lesson.question, lesson.text, lesson.trace_id, lesson.kind) for lesson in general])
    return [by_key[found.item.key, found.item.text] for found in index.search(question, most)]


def _lesson(row: Row) -> Lesson:
    return Lesson(**{name: row[name] for name in Lesson.__slots__})
