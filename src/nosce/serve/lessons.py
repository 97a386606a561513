"""The book of lessons: what was learned, who decided about it, and what is recalled for a question."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from nosce.core.errors import InputError
from nosce.metrics.proportion import clopper_pearson
from nosce.serve.lesson import Lesson, State, alike
from nosce.serve.shelf import Shelf
from nosce.serve.store import Store, Transaction
from nosce.serve.teaching import DAY, SHOWN, Teaching

MOST = 2000
"""Approved lessons of one key and frame among which a question's are looked for, the newest first."""

KEEP_DAYS = "lessons_keep_days"
"""The row of `meta` in which a server notes its own `keep_days`, for commands that decide without its settings."""

_SHELVES = 64  # keys and frames whose lessons are held ready


@dataclass(frozen=True, slots=True)
class Lessons(Teaching):
    """The lessons of a store. Drafts (answers whose truth nobody told yet) are no lessons and are never shown or recalled.

    A lesson is recalled for its own key alone, for the same frame (all that stood around the question), once it is
    approved and while it is fresh: `keep_days` from the approval or the last audit that confirmed it.
    """

    _shelves: OrderedDict[tuple[str, str], Shelf] = field(default_factory=OrderedDict, compare=False)

    @classmethod
    def of(cls, store: Store) -> Lessons:
        """The lessons of a file, kept as long as the server that last ran on it keeps them."""
        noted = store.one("SELECT value FROM meta WHERE name=?", KEEP_DAYS)
        return cls(store, float(noted["value"])) if noted else cls(store)

    def lessons(self, key_id: str | None = None, *, state: State | None = None, limit: int = 200) -> list[Lesson]:
        """The lessons of a key (of all keys: None), newest first."""
        wanted = [("key_id=?", key_id), ("state=?", state)]
        where = " AND ".join([SHOWN, *(clause for clause, value in wanted if value is not None)])
        values = [value for _, value in wanted if value is not None]
        rows = self.store.rows(f"SELECT * FROM lessons WHERE {where} ORDER BY id DESC LIMIT ?", *values, limit)
        return [Lesson.of(row) for row in rows]

    def lesson(self, number: int) -> Lesson | None:
        """The lesson of this number."""
        row = self.store.one(f"SELECT * FROM lessons WHERE id=? AND {SHOWN}", number)
        return None if row is None else Lesson.of(row)

    def rivals(self, lesson: Lesson) -> list[Lesson]:
        """Other lessons about the same question, in whatever words: what says the same and what does not."""
        about = (lesson.key_id, lesson.frame, lesson.gist, lesson.id)
        same = f"key_id=? AND frame=? AND gist=? AND gist<>'' AND id<>? AND {SHOWN} AND text<>''"
        return [Lesson.of(row) for row in self.store.rows(f"SELECT * FROM lessons WHERE {same} ORDER BY id DESC", *about)]

    # -- who decides --------------------------------------------------------------------------------------------------

    def approve(self, number: int, by: str = "operator") -> None:
        """Let a lesson be recalled; whoever approves vouches for it. What is proposed against it is rejected.

        Raises InputError where there is none.
        """
        with self.store.transaction() as base:
            lesson = self._decided(base, number, "approved", by, 1.0)
            for rival in _about(base, lesson):
                if rival.state == "proposed" and not alike(rival.text, lesson.text):
                    self._decided(base, rival.id, "rejected", by, 0.0)

    def reject(self, number: int, by: str = "operator") -> None:
        """Never recall a lesson, nor take it up again. The same claim in other words is rejected with it where it waits.

        Where such a claim was approved, by an operator and not by an audit, there are two opinions: it waits for a third.
        Raises InputError where there is none.
        """
        with self.store.transaction() as base:
            lesson = self._decided(base, number, "rejected", by, 0.0)
            for twin in _about(base, lesson):
                if not alike(twin.text, lesson.text):
                    continue
                if twin.state == "proposed":
                    self._decided(base, twin.id, "rejected", by, 0.0)
                elif twin.state == "approved" and twin.origin != "audit":
                    base.run("UPDATE lessons SET state='proposed', by='doubted', refuted=refuted+1 WHERE id=?", twin.id)

    def _decided(self, base: Transaction, number: int, state: State, by: str, trust: float) -> Lesson:
        now = time.time()
        sql = f"UPDATE lessons SET state=?, by=?, trust=?, decided=?, expires=?, looks=looks+1 WHERE id=? AND {SHOWN}"
        if not base.run(sql, state, by, trust, now, now + self.keep_days * DAY, number):
            raise InputError(f"there is no lesson {number}; `nosce serve lessons list` shows them")
        return Lesson.of(base.rows("SELECT * FROM lessons WHERE id=?", number)[0])

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

    # -- what is recalled ---------------------------------------------------------------------------------------------

    def recall(self, key_id: str, frame: str, question: str, most: int = 3) -> list[Lesson]:
        """The approved lessons for a question, at most `most`: its own, then those of questions at least `near` to it."""
        found = self._shelf(key_id, frame).nearest(question, most, self.near)
        for lesson in found:
            self.store.keep("UPDATE lessons SET used=used+1 WHERE id=?", lesson.id)
        return found

    def _shelf(self, key_id: str, frame: str) -> Shelf:
        """The approved lessons of a key and frame, read again when a decision was made or a time has run out."""
        live = "FROM lessons WHERE key_id=? AND frame=? AND state='approved' AND (expires IS NULL OR expires > ?)"
        values, told = (key_id, frame, time.time()), "COUNT(*), MAX(decided), MAX(id), SUM(confirmed), SUM(refuted)"
        stamp = tuple(self.store.rows(f"SELECT {told} {live}", *values)[0])
        if (held := self._shelves.get((key_id, frame))) is None or held.stamp != stamp:
            rows = self.store.rows(f"SELECT * {live} ORDER BY id DESC LIMIT ?", *values, MOST) if stamp[0] else []
            held = self._shelves[key_id, frame] = Shelf.of(stamp, [Lesson.of(row) for row in rows])
            while len(self._shelves) > _SHELVES:
                self._shelves.popitem(last=False)
        return held

    def reliability(self, level: float = 0.95) -> float:
        """A lower bound of P(right) of a recalled record: exact binomial, from audits of questions that had one; 0 without any."""
        row = self.store.one("SELECT SUM(confirmed) AS yes, SUM(refuted) AS no FROM lessons WHERE state='approved'")
        yes, no = (row["yes"] or 0, row["no"] or 0) if row else (0, 0)
        return clopper_pearson(yes, yes + no, 2 * level - 1)[0] if yes else 0.0


def _about(base: Transaction, lesson: Lesson) -> list[Lesson]:
    same = f"key_id=? AND frame=? AND gist=? AND gist<>'' AND id<>? AND {SHOWN}"
    rows = base.rows(f"SELECT * FROM lessons WHERE {same}", lesson.key_id, lesson.frame, lesson.gist, lesson.id)
    return [Lesson.of(row) for row in rows]
