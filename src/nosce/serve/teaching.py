"""How an answer becomes a lesson: what askers say of it is proposed, what auditors find right is known."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from nosce.serve.lesson import alike, asked, gist
from nosce.serve.store import Store, Transaction, packed

LONGEST = 2000
"""Characters of a question or an answer beyond which nothing is learned from it."""

DAY = 86_400.0
SHOWN = "state <> 'draft'"
_WIDEST = 20_000  # characters of a conversation that are kept for who decides
_HEARD = 2  # askers' proposals about one question that may wait for a decision


@dataclass(frozen=True, slots=True)
class Teaching:
    """Notes answers as drafts, and makes lessons of them. Each step is one transaction: several processes may teach at once.

    keep_days: how long an approved lesson is kept. near: the similarity (TF-IDF cosine of the questions) from which a lesson
    is recalled; the numbers must be the same, too.
    """

    store: Store
    keep_days: float = 90.0
    near: float = 0.85

    def draft(
        self, key_id: str, trace_id: str, frame: str, question: str, answer: str, recalled: Sequence[int] = (),
        turns: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        """Note an answer (empty: none was given) from which something may be learned once the truth is told.

        recalled: the lessons that it was given with, which will have to answer for it. turns: the conversation, for who decides.
        """
        if max(len(question), len(answer)) <= LONGEST:
            kept = told if len(told := packed(list(turns))) <= _WIDEST else "[]"
            self.store.keep(
                "INSERT INTO lessons(key_id, at, trace_id, frame, asked, gist, question, text, state, recalled, turns, unmet) "
                "VALUES (?,?,?,?,?,?,?,?,'draft',?,?,?)",
                key_id, time.time(), trace_id, frame, asked(question), gist(question), question, answer,
                packed(list(recalled)), kept, int(not answer),
            )  # fmt: skip

    def volunteered(self, trace_id: str, key_id: str, answer: str | None = None) -> None:
        """The asker says that the answer was right, or what the right `answer` is: that is proposed, and waits for a decision.

        Its trust is no more than such words have earned. What was decided about a claim stands, in whatever words the question
        is put: one that is known or was rejected is not proposed again. At most two wait about one question, so that nobody
        wears out those who decide.
        """
        with self.store.transaction() as base:
            row = _of_trace(base, trace_id, "draft")
            if row is None or row["key_id"] != key_id:
                return
            text, others = answer or row["text"], _same(base, row)
            if answer and not alike(answer, row["text"]):
                base.run("UPDATE lessons SET unmet=1 WHERE id=?", row["id"])
            waiting = sum(other["state"] == "proposed" for other in others)
            if not text or len(text) > LONGEST or waiting >= _HEARD or any(alike(other["text"], text) for other in others):
                return
            agreed, n = _record(base, key_id)
            credit = (agreed + 1) / (n + 2)
            if answer is None:
                base.run("UPDATE lessons SET state='proposed', origin='feedback', trust=? WHERE id=?", credit, row["id"])
                return
            # a row of its own: an auditor's verdict is about what the model said, never about these words
            base.run(
                "INSERT INTO lessons(key_id, at, trace_id, frame, asked, gist, question, text, state, origin, trust, turns) SELECT "
                "key_id, at, trace_id, frame, asked, gist, question, ?, 'proposed', 'asker', ?, turns FROM lessons WHERE id=?",
                answer, credit, row["id"],
            )  # fmt: skip

    def complained(self, trace_id: str, key_id: str) -> None:
        """The asker says that an answer was wrong: lessons it was given with are held back until an operator looks again.

        An operator looks twice at most, so nobody can keep a lesson out by complaining; what an auditor found right stays.
        """
        with self.store.transaction() as base:
            row = _of_trace(base, trace_id)
            if row is not None and row["key_id"] == key_id:
                base.run("UPDATE lessons SET unmet=1 WHERE id=?", row["id"])
                _hold_back(base, json.loads(row["recalled"]), "looks < 2 AND origin <> 'audit'")

    def record(self, key_id: str) -> tuple[int, int]:
        """(agreed, n): of a key's feedback on answers that were audited as well, how much agreed with the auditor."""
        return _record(self.store, key_id)

    def credit(self, key_id: str) -> float:
        """How far the feedback of a key is believed: (agreed + 1) / (n + 2), the mean of the posterior over a uniform prior."""
        agreed, n = self.record(key_id)
        return (agreed + 1) / (n + 2)

    def audited(self, trace_id: str, score: float, by: str, answer: str | None = None) -> None:
        """An auditor's verdict: a right answer is a lesson, a wrong one is none; `answer`, the auditor's own, is one too.

        It counts for lessons of the same question that say the same, and against those that say something else; what waits
        about the question is thereby decided.
        """
        with self.store.transaction() as base:
            row = _of_trace(base, trace_id)
            if row is None:
                return
            right, known = (row["text"] if score >= 0.5 else answer) or None, False
            if score < 0.5:
                _hold_back(base, json.loads(row["recalled"]))
            now = time.time()
            until = now + self.keep_days * DAY
            for other in _same(base, row) if right is not None else ():
                if other["id"] != row["id"]:
                    same = alike(other["text"], str(right))
                    _settle(base, other, same, by, now, until)
                    known |= same and other["state"] == "approved" and other["asked"] == row["asked"]
            if known:
                base.run("DELETE FROM lessons WHERE id=?", row["id"])
                return
            state, text = ("rejected", row["text"]) if right is None else ("approved", right)
            base.run(
                "UPDATE lessons SET state=?, origin='audit', text=?, trust=?, decided=?, by=?, expires=? WHERE id=?",
                state, text, float(right is not None), now, by, until, row["id"],
            )  # fmt: skip


def _of_trace(base: Transaction, trace_id: str, state: str | None = None) -> Row | None:
    rows = base.rows("SELECT * FROM lessons WHERE trace_id=? AND origin <> 'asker'", trace_id)
    return rows[0] if rows and state in (None, rows[0]["state"]) else None


def _same(base: Transaction, row: Row) -> list[Row]:
    """The lessons, decided or proposed, about the question of a row in any words, itself among them unless it is a draft."""
    about = (row["key_id"], row["frame"], row["gist"])
    return base.rows(f"SELECT * FROM lessons WHERE key_id=? AND frame=? AND gist=? AND gist<>'' AND {SHOWN}", *about)


def _settle(base: Transaction, other: Row, same: bool, by: str, now: float, until: float) -> None:
    """Hold a lesson against what an auditor found right about its question."""
    if other["state"] == "proposed":
        sql = "UPDATE lessons SET state=?, trust=?, decided=?, by=?, expires=?, looks=looks+1 WHERE id=?"
        base.run(sql, "approved" if same else "rejected", float(same), now, by, until, other["id"])
    elif same:
        base.run("UPDATE lessons SET confirmed=confirmed+1, expires=? WHERE id=?", until, other["id"])
    else:
        base.run("UPDATE lessons SET refuted=refuted+1 WHERE id=?", other["id"])


def _record(base: Transaction | Store, key_id: str) -> tuple[int, int]:
    row = base.rows(
        "SELECT COUNT(*) AS n, COALESCE(SUM((f.score >= 0.5) = (a.score >= 0.5)), 0) AS agreed FROM feedback f "
        "JOIN audit a ON a.trace_id = f.trace_id WHERE f.key_id=? AND a.state='labelled' AND f.score IS NOT NULL", key_id,
    )[0]  # fmt: skip
    return row["agreed"], row["n"]


def _hold_back(base: Transaction, numbers: Sequence[int], where: str = "1") -> None:
    """Put back to the operator the approved lessons that an answer was given with, where they are the kind to doubt."""
    for number in numbers:
        base.run(
            "UPDATE lessons SET state='proposed', by='doubted', refuted=refuted+1 WHERE id=? AND state='approved' "
            f"AND {where}", int(number),
        )  # fmt: skip
