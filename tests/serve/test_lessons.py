"""Lessons: what may become one, who vouches for it, and who gets to see it."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nosce.core.errors import InputError
from nosce.serve.lesson import gist
from nosce.serve.lessons import Lessons
from nosce.serve.store import Store


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Lessons]:
    store = Store(tmp_path / "nosce.db")
    yield Lessons(store)
    store.close()


def drafted(book: Lessons, trace: str, question: str = "2+2", answer: str = "4", key: str = "alice", frame: str = "f") -> None:
    book.draft(key, trace, frame, question, answer)
    book.store.flush()


def told(book: Lessons, key: str = "alice", frame: str = "f", question: str = "2+2") -> list[str]:
    book.store.flush()
    return [lesson.text for lesson in book.recall(key, frame, question)]


def test_an_audited_answer_is_recalled_for_its_own_key_frame_and_question_alone(book: Lessons) -> None:
    drafted(book, "t")
    assert book.lessons() == []  # a draft is no lesson
    assert told(book) == []
    book.audited("t", 1.0, "auditor")
    assert told(book) == ["4"]
    assert told(book, question="  2+2 ") == ["4"]
    assert [told(book, key="bob"), told(book, frame="g"), told(book, question="2+3"), told(book, question="9*8")] == [[]] * 4
    (lesson,) = book.lessons("alice")
    assert (lesson.origin, lesson.trust, lesson.by, lesson.trace_id, lesson.used) == ("audit", 1.0, "auditor", "t", 2)


def test_a_volunteered_label_is_only_a_proposal(book: Lessons) -> None:
    drafted(book, "t", answer="4")
    book.volunteered("t", "bob")  # not his
    assert book.lessons() == []
    book.volunteered("t", "alice")
    (lesson,) = book.lessons("alice")
    assert (lesson.state, lesson.text, lesson.trust) == ("proposed", "4", 0.5)
    assert told(book) == []
    book.approve(lesson.id, "root")
    assert told(book) == ["4"]
    book.reject(lesson.id)
    assert told(book) == []
    with pytest.raises(InputError, match="no lesson 99"):
        book.approve(99)


def test_repeating_a_claim_adds_nothing_and_two_claims_about_a_question_wait_at_most(book: Lessons) -> None:
    for i, wording in enumerate(("hat of tom", "Tom's hat", "tell me the hat that Tom has", "hat for tom?", "TOM hat")):
        drafted(book, f"t{i}", question=wording.replace("'s", ""), answer="red")
        book.volunteered(f"t{i}", "alice")
    assert len(book.lessons()) == 1  # the same claim in other words
    for i in range(9):
        drafted(book, f"u{i}", question="hat of tom", answer="red")
        book.volunteered(f"u{i}", "alice", f"hue {i}")
    assert [(one.text, one.origin, one.state) for one in book.lessons()] == [
        ("hue 0", "asker", "proposed"), ("red", "feedback", "proposed"),
    ]  # fmt: skip
    assert told(book, question="hat of tom") == []


def test_a_decision_about_a_claim_holds_for_its_other_wordings(book: Lessons) -> None:
    drafted(book, "t", question="hat of tom", answer="red")
    book.volunteered("t", "alice", "blue")
    book.reject(book.lessons()[0].id)
    drafted(book, "u", question="tell the hat that tom has", answer="red")
    book.volunteered("u", "alice", "blue")  # rejected before
    assert [one.state for one in book.lessons()] == ["rejected"]
    book.volunteered("u", "alice")
    drafted(book, "v", question="tom hat", answer="red")
    book.volunteered("v", "alice", "green")
    book.approve(book.lessons(state="proposed")[-1].id)
    assert [(one.text, one.state) for one in book.lessons()] == [("green", "rejected"), ("red", "approved"), ("blue", "rejected")]


def test_two_opinions_about_a_claim_call_for_a_third(book: Lessons) -> None:
    drafted(book, "t", question="hat of tom", answer="red")
    book.volunteered("t", "alice")
    (first,) = book.lessons()
    book.approve(first.id)
    book.store.now([("UPDATE lessons SET text='blue' WHERE id=?", (first.id,))])
    drafted(book, "u", question="tom hat", answer="red")
    book.volunteered("u", "alice")
    book.store.now([("UPDATE lessons SET text='blue' WHERE state='proposed'", ())])
    book.reject(book.lessons(state="proposed")[0].id)
    assert {(one.question, one.state) for one in book.lessons()} == {("hat of tom", "proposed"), ("tom hat", "rejected")}


def test_a_like_question_that_says_no_more_is_recalled_from_a_similarity_on(book: Lessons) -> None:
    """`hat of tom` and `hat of old tom`: three shared words of weight log 2 each, and one of weight log 3."""
    drafted(book, "t", question="hat of tom", answer="red")
    book.audited("t", 1.0, "a")
    likeness = 3 * math.log(2) ** 2 / math.sqrt(3 * math.log(2) ** 2 * (3 * math.log(2) ** 2 + math.log(3) ** 2))
    assert told(Lessons(book.store, near=likeness - 1e-6), question="hat of old tom") == ["red"]
    assert told(Lessons(book.store, near=likeness + 1e-6), question="hat of old tom") == []
    assert told(book, question="of tom hat") == ["red"]
    drafted(book, "u", question="12 of 3", answer="4")
    book.audited("u", 1.0, "a")
    assert told(book, question="3 of 12") == []  # the same words, other numbers


def test_what_is_known_of_something_is_not_recalled_for_another_thing_of_it(book: Lessons) -> None:
    drafted(book, "t", question="hat of tom", answer="red")
    book.audited("t", 1.0, "a")
    assert told(Lessons(book.store, near=0.01), question="coat of tom") == []
    assert told(Lessons(book.store, near=0.01), question="hat of ann") == []


def test_credit_is_how_often_feedback_agreed_with_audits(book: Lessons) -> None:
    for i, (said, true) in enumerate([(1, 1), (1, 0), (1, 1), (0, 0)]):
        book.store.now(
            [
                ("INSERT INTO feedback(trace_id, key_id, at, score) VALUES (?,?,0,?)", (f"t{i}", "alice", said)),
                ("INSERT INTO audit(trace_id, key_id, at, state, score) VALUES (?,?,0,'labelled',?)", (f"t{i}", "alice", true)),
            ]
        )
    assert book.credit("alice") == pytest.approx((3 + 1) / (4 + 2))
    assert book.credit("bob") == 0.5


def test_a_wrong_answer_teaches_only_what_the_auditor_says(book: Lessons) -> None:
    drafted(book, "t", answer="5")
    book.audited("t", 0.0, "auditor")
    assert (told(book), book.lessons()[0].state) == ([], "rejected")
    drafted(book, "u", question="3+3", answer="7")
    book.audited("u", 0.0, "auditor", "6")
    assert told(book, question="3+3")[:1] == ["6"]


def test_an_audit_of_an_answer_never_vouches_for_the_askers_words(book: Lessons) -> None:
    drafted(book, "t", answer="4")
    book.volunteered("t", "alice", "66")
    book.audited("t", 1.0, "auditor")
    assert told(book) == ["4"]
    assert {(one.text, one.state) for one in book.lessons()} == {("4", "approved"), ("66", "rejected")}


def test_an_audit_decides_what_waits_about_its_question_in_other_words(book: Lessons) -> None:
    drafted(book, "t", question="hat of tom", answer="red")
    drafted(book, "u", question="tom hat", answer="blue")
    drafted(book, "v", question="the hat that tom has", answer="")
    book.volunteered("t", "alice")
    book.volunteered("u", "alice")
    book.audited("v", 0.0, "auditor", "red")
    assert {(one.question, one.text, one.state, one.by) for one in book.lessons()} == {
        ("hat of tom", "red", "approved", "auditor"), ("tom hat", "blue", "rejected", "auditor"),
        ("the hat that tom has", "red", "approved", "auditor"),
    }  # fmt: skip


def test_where_nothing_was_answered_only_a_given_answer_teaches(book: Lessons) -> None:
    for trace, question in (("t", "a"), ("u", "b"), ("v", "c")):
        drafted(book, trace, question=question, answer="")
    book.volunteered("t", "alice")
    book.audited("u", 1.0, "auditor")
    book.volunteered("v", "alice", "6")
    assert [(one.question, one.text, one.state) for one in book.lessons()] == [("c", "6", "proposed"), ("b", "", "rejected")]


def test_a_complaint_holds_back_what_an_operator_approved_and_an_audit_whatever_was_recalled(book: Lessons) -> None:
    drafted(book, "t", answer="5")
    book.volunteered("t", "alice")
    (number,) = (lesson.id for lesson in book.lessons())
    for look in range(3):
        book.approve(number)
        book.draft("alice", f"after-{look}", "f", "2 + 2", "5", [number])
        book.store.flush()
        book.complained(f"after-{look}", "bob")  # it was not he who asked
        book.complained(f"after-{look}", "alice")
        state = next(lesson.state for lesson in book.lessons() if lesson.id == number)
        assert state == ("proposed" if look < 1 else "approved")  # an operator looks twice at most
    book.audited("after-2", 0.0, "auditor")
    assert told(book) == []


def test_of_lessons_that_contradict_each_other_only_what_more_people_found_right_is_recalled(book: Lessons) -> None:
    drafted(book, "t", question="hat of tom", answer="4")
    drafted(book, "u", question="tom hat", answer="5")
    book.audited("t", 1.0, "a")
    book.audited("u", 1.0, "b")
    assert told(book, question="hat of tom") == told(book, question="tom hat") == []
    drafted(book, "v", question="the hat of tom", answer="4")
    book.audited("v", 1.0, "c")
    assert set(told(book, question="tom hat")) == {"4"}  # three say so against one


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [("What is the hat of Tom?", "tell Tom's hat", False), ("hat of tom", "Tell me the HAT that Tom has!", True),
     ("12 of 3", "3 of 12", False), ("2+2", "2 + 2", True), ("who is", "is who", True),
     ("9-3+1", "9+3-1", False), ("color of tom", "home of tom", False)],
)  # fmt: skip
def test_the_gist_of_a_question_is_its_words_that_carry_meaning(a: str, b: str, same: bool) -> None:
    assert (gist(a) == gist(b)) is same


def test_reliability_is_the_exact_bound_of_later_audits(book: Lessons) -> None:
    drafted(book, "t")
    book.audited("t", 1.0, "a")
    assert book.reliability() == 0.0  # its own audit is no evidence of it
    for i in range(59):
        drafted(book, f"u{i}", answer="4")
        book.audited(f"u{i}", 1.0, "a")
    assert [lesson.confirmed for lesson in book.lessons()] == [59]  # what is known is not noted twice
    assert book.reliability() == pytest.approx(0.05 ** (1 / 59))  # 59 without an error: 0.95


def test_lessons_end(book: Lessons) -> None:
    drafted(book, "t")
    book.audited("t", 1.0, "a")
    drafted(book, "u", question="9")
    Lessons(book.store, keep_days=-1).approve(book.lessons()[0].id)
    assert told(book) == []
    assert book.expire(time.time() - 60) == 1
    assert book.expire(time.time() + 60) == 1  # the draft
    drafted(book, "v")
    book.audited("v", 1.0, "a")
    assert not book.forget(book.lessons()[0].id, "bob")
    assert book.forget(book.lessons()[0].id, "alice")
    assert book.lessons() == []


def test_eight_writers_who_claim_the_same_at_once_propose_it_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    books = [Lessons(Store(tmp_path / "nosce.db")) for _ in range(8)]
    for i, book in enumerate(books):
        drafted(book, f"t{i}", question=("hat of tom", "tom hat")[i % 2], answer="red")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda pair: pair[1].volunteered(f"t{pair[0]}", "alice"), enumerate(books)))
        assert [one.text for one in books[0].lessons()] == ["red"]
        list(pool.map(lambda pair: pair[1].volunteered(f"t{pair[0]}", "alice", f"blue {pair[0]}"), enumerate(books)))
        assert len(books[0].lessons(state="proposed")) == 2  # no more than two wait about one question
        list(pool.map(lambda pair: pair[1].audited(f"t{pair[0]}", 1.0, "auditor"), enumerate(books)))
    assert {one.text for one in books[0].lessons(state="approved")} == {"red"}
    assert {one.text for one in books[0].lessons(state="rejected")} <= {f"blue {i}" for i in range(8)}
    for book in books:
        book.store.close()
