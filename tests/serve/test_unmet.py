"""Which questions are put before an auditor for memory's sake, and that their labels move no threshold."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from nosce.serve import learning
from nosce.serve.lessons import Lessons
from nosce.serve.store import Store
from nosce.serve.unmet import inquire


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Lessons]:
    store = Store(tmp_path / "nosce.db")
    yield Lessons(store)
    store.close()


def drafted(book: Lessons, trace: str, question: str, answer: str = "", frame: str = "f") -> None:
    book.draft("alice", trace, frame, question, answer, (), [{"role": "user", "content": question}])
    book.store.flush()


def test_what_was_not_answered_or_disputed_is_asked_once_in_whatever_words(book: Lessons) -> None:
    drafted(book, "silent", "hat of tom")
    drafted(book, "silent again", "tell the hat that tom has")
    drafted(book, "elsewhere", "hat of tom", frame="g")
    drafted(book, "fine", "hat of ann", "red")
    drafted(book, "disputed", "hat of bob", "red")
    drafted(book, "corrected", "hat of eve", "red")
    drafted(book, "praised", "hat of sue", "red")
    book.complained("disputed", "alice")
    book.complained("fine", "bob")  # it was not he who asked
    book.volunteered("corrected", "alice", "blue")
    book.volunteered("praised", "alice")
    asked = set(inquire(book.store, 1.0, 0.0))
    assert asked - {"silent", "silent again"} == {"elsewhere", "disputed", "corrected"}
    assert len(asked) == 4
    assert inquire(book.store, 1.0, 0.0) == []
    for trace in asked:
        book.audited(trace, 0.0, "auditor", "green")
    drafted(book, "later", "the hat of tom")
    assert inquire(book.store, 1.0, 0.0) == []  # it is known by now
    assert [one.text for one in book.recall("alice", "f", "the hat of tom")] == ["green"]


def test_no_more_than_a_share_is_asked(book: Lessons) -> None:
    for i in range(30):
        drafted(book, f"a{i}", "hat of tom")
    for i in range(10):
        drafted(book, f"b{i}", f"hat of stranger{i}")
    first = inquire(book.store, 1 / 40, 0.0)
    assert len(first) == 1
    assert inquire(book.store, 1 / 40, 0.0) == []  # the share is used up
    assert len(inquire(book.store, 0.1, 0.0)) == 3


def test_what_is_asked_often_is_drawn_by_the_root_of_how_often(tmp_path: Path) -> None:
    """One question thirty times and ten once: it is drawn first with p = √30 / (√30 + 10) = 0.354; of 60 draws 10 to 33 (99.9%)."""
    book, often = Lessons(Store(tmp_path / "nosce.db")), 0
    for i in range(40):
        book.draft("alice", f"{i}", "f", "hat of tom" if i < 30 else f"hat of stranger{i}", "", (), ["…"])
    book.store.flush()
    for seed in range(60):
        often += int(inquire(book.store, 1 / 40, 0.0, random.Random(seed))[0]) < 30
        book.store.now([("DELETE FROM audit", ())])
    book.store.close()
    assert 10 <= often <= 33


def test_labels_of_unmet_questions_move_no_threshold(book: Lessons) -> None:
    for i in range(learning.FEWEST):
        values = (f"t{i}", "alice", 0.9, "unmet" if i else "lot")
        sql = "INSERT INTO audit(trace_id, key_id, at, state, score, raw, drawn) VALUES (?,?,0,'labelled',1,?,?)"
        book.store.now([(sql, values)])
    assert learning.drift(book.store).labels == 1
    assert learning.shadow(book.store, 0.1) is None
