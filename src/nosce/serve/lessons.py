"""The book of lessons: what answers taught whose truth was told, who vouches for it, and how long it is kept."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Row
from typing import Any, Literal

from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError
from nosce.memory.postings import Postings
from nosce.metrics.proportion import clopper_pearson
from nosce.serve.store import Store, Write, packed

State = Literal["proposed", "approved", "rejected"]
LONGEST = 2000
"""Characters of a question or an answer beyond which nothing is learned from it."""

MOST = 2000
"""Approved lessons of one key and frame among which a question's are looked for, the newest first."""

KEEP_DAYS = "lessons_keep_days"
"""The row of `meta` in which a server notes its own `keep_days`, for commands that decide without its settings."""

_SHELVES = 64  # keys and frames whose lessons are held ready
_HEARD = 2  # askers' proposals that are taken up about one question
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SHOWN = "state <> 'draft'"
_SAME = "key_id=? AND frame=? AND asked=?"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson: what was asked, what is to be remembered, where it comes from and how far it is trusted.

    kind: `record` (the right answer to `question`) or `behavior` (a general instruction). origin: `audit` (an auditor
    found it right), `feedback` (the asker said that the model's answer was), `asker` (the asker's own words), `reflection`
    (the model wrote it about an audited answer). trust in [0, 1]: 1 where an
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
    approved and while it is fresh: `keep_days` from the approval. `near`: the similarity (TF-IDF cosine of the questions)
    from which a record is recalled; its numbers must be the same, too.
    """

    store: Store
    keep_days: float = 90.0
    near: float = 0.85
    _shelves: OrderedDict[tuple[str, str], Shelf] = field(default_factory=OrderedDict, compare=False)

    @classmethod
    def of(cls, store: Store) -> Lessons:
        """The lessons of a file, kept as long as the server that last ran on it keeps them."""
        noted = store.one("SELECT value FROM meta WHERE name=?", KEEP_DAYS)
        return cls(store, float(noted["value"])) if noted else cls(store)

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
        sql = f"UPDATE lessons SET state=?, by=?, trust=?, decided=?, expires=?, looks=looks+1 WHERE id=? AND {_SHOWN}"
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

    def draft(
        self, key_id: str, trace_id: str, frame: str, question: str, answer: str, recalled: Sequence[int] = ()
    ) -> None:  # fmt: skip
        """Note an answer (empty: none was given) from which something may be learned once the truth is told.

        recalled: the lessons that it was given with, which will have to answer for it.
        """
        if max(len(question), len(answer)) <= LONGEST:
            self.store.put(
                "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, recalled) "
                "VALUES (?,?,?,?,?,?,?,'draft',?)",
                key_id, time.time(), trace_id, frame, asked(question), question, answer, packed(list(recalled)),
            )  # fmt: skip

    def volunteered(self, trace_id: str, key_id: str, answer: str | None = None) -> None:
        """The asker says that the answer was right, or what the right `answer` is: that is proposed, and waits for a decision.

        Its trust is no more than such words have earned. Askers who contradict each other teach nothing: what they
        proposed is withdrawn. A question is listened to twice, so that nobody wears out those who decide.
        """
        row = self._of_trace(trace_id, "draft")
        if row is None or row["key_id"] != key_id:
            return
        text, others = answer or row["text"], self._same(row)
        heard = sum(other["origin"] in ("feedback", "asker") for other in others)
        if not text or len(text) > LONGEST or heard >= _HEARD or any(_alike(other["text"], text) for other in others):
            return
        against = [other["id"] for other in others if other["state"] == "proposed"]
        state, credit = "rejected" if against else "proposed", self.credit(key_id)
        drop = [("UPDATE lessons SET state='rejected', by='contradicted' WHERE id=?", (number,)) for number in against]
        values: tuple[Any, ...]
        if answer is None:
            sql, values = "UPDATE lessons SET state=?, origin='feedback', trust=? WHERE id=?", (state, credit, row["id"])
        else:  # a row of its own: an auditor's verdict is about what the model said, never about these words
            sql = (
                "INSERT INTO lessons(key_id, at, trace_id, frame, asked, question, text, state, origin, trust) "
                "SELECT key_id, at, trace_id, frame, asked, question, ?, ?, 'asker', ? FROM lessons WHERE id=?"
            )
            values = (answer, state, credit, row["id"])
        self.store.now([*drop, (sql, values)])

    def complained(self, trace_id: str, key_id: str) -> None:
        """The asker says that an answer was wrong: lessons it was given with are held back until an operator looks again.

        An operator looks twice at most, so nobody can keep a lesson out by complaining; what an auditor found right stays.
        """
        row = self._of_trace(trace_id)
        if row is not None and row["key_id"] == key_id:
            self.store.now(_held_back(row, "state='approved' AND looks < 2 AND origin <> 'audit'"))

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
        right = (row["text"] if score >= 0.5 else answer) or None
        others = [other for other in self._same(row) if other["id"] != row["id"]] if right is not None else []
        alike = {other["id"]: _alike(other["text"], str(right)) for other in others}
        held = _held_back(row, "state='approved'") if score < 0.5 else []
        told = held + [
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
        """The approved lessons for a question, at most `most`: records of questions at least `near` to it, then behaviors.

        Records of one question that contradict each other are left out until somebody decides between them.
        """
        shelf = self._shelf(key_id, frame)
        found = shelf.nearest(question, most, self.near)
        for lesson in found:
            self.store.put("UPDATE lessons SET used=used+1 WHERE id=?", lesson.id)
        return found

    def _shelf(self, key_id: str, frame: str) -> Shelf:
        """The approved lessons of a key and frame, read again when a decision was made or a time has run out."""
        live = "FROM lessons WHERE key_id=? AND frame=? AND state='approved' AND (expires IS NULL OR expires > ?)"
        values = (key_id, frame, time.time())
        stamp = tuple(self.store.rows(f"SELECT COUNT(*), MAX(decided), MAX(id) {live}", *values)[0])
        if (held := self._shelves.get((key_id, frame))) is None or held.stamp != stamp:
            rows = self.store.rows(f"SELECT * {live} ORDER BY id DESC LIMIT ?", *values, MOST) if stamp[0] else []
            held = self._shelves[key_id, frame] = Shelf.of(stamp, [_lesson(row) for row in rows])
            while len(self._shelves) > _SHELVES:
                self._shelves.popitem(last=False)
        return held

    def reliability(self, level: float = 0.95) -> float:
        """A lower bound of P(right) of a recalled record: exact binomial, from audits of questions that had one; 0 without any."""
        row = self.store.one("SELECT SUM(confirmed) AS yes, SUM(refuted) AS no FROM lessons WHERE state='approved'")
        yes, no = (row["yes"] or 0, row["no"] or 0) if row else (0, 0)
        return clopper_pearson(yes, yes + no, 2 * level - 1)[0] if yes else 0.0

    def _of_trace(self, trace_id: str, state: str | None = None) -> Row | None:
        row = self.store.one("SELECT * FROM lessons WHERE trace_id=? AND kind='record' AND origin <> 'asker'", trace_id)
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


def _held_back(row: Row, where: str) -> list[Write]:
    """Writes that put back to the operator the lessons that an answer was given with, where they are the kind to doubt."""
    sql = f"UPDATE lessons SET state='proposed', by='doubted', refuted=refuted+1 WHERE id=? AND {where}"
    return [(sql, (int(number),)) for number in json.loads(row["recalled"])]


def _undisputed(records: Sequence[Lesson]) -> list[Lesson]:
    """The newest record of each question whose records all say the same."""
    by_question: dict[str, list[Lesson]] = {}
    for record in records:
        by_question.setdefault(asked(record.question), []).append(record)
    return [same[0] for same in by_question.values() if all(_alike(same[0].text, other.text) for other in same)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Approved lessons, ready to be searched: `stamp` says of which decisions."""

    stamp: tuple[Any, ...]
    records: Sequence[Lesson]
    behaviors: Sequence[Lesson]
    by_question: Mapping[str, Lesson]
    record_index: Postings
    behavior_index: Postings

    @classmethod
    def of(cls, stamp: tuple[Any, ...], lessons: Sequence[Lesson]) -> Shelf:
        """Sort them and index them by their questions."""
        records = _undisputed([lesson for lesson in lessons if lesson.kind == "record"])
        behaviors = [lesson for lesson in lessons if lesson.kind == "behavior"]
        indexes = (Postings([lesson.question for lesson in part]) for part in (records, behaviors))
        return cls(stamp, records, behaviors, {asked(record.question): record for record in records}, *indexes)

    def nearest(self, question: str, most: int, near: float) -> list[Lesson]:
        """The record of the same question, then those of questions at least `near` to it with the same numbers, then behaviors."""
        same = self.by_question.get(asked(question))
        alike = (self.records[place] for place, _ in self.record_index.nearest(question, 4 * most, near))
        others = [record for record in alike if record is not same and _numbers(record.question) == _numbers(question)]
        general = [self.behaviors[place] for place, _ in self.behavior_index.nearest(question, most, 0.0)]
        return [*([same] if same else []), *others, *general][:most]


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(text)


def _lesson(row: Row) -> Lesson:
    return Lesson(**{name: row[name] for name in Lesson.__slots__})
