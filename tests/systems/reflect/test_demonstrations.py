"""Examples that a model writes for itself: reading them, crossing them, and what is put before the question."""

import asyncio

import pytest

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.reflect.demonstrations import Demonstration, after, crossed, read_demonstrations
from nosce.systems.reflect.relevant_or_random import relevant_or_random

ASKED = Problem("p", "37+48-12", reference="73")
WROTE = """Sure.
Question: 2+3
1. 2+3=5
Answer: 5

question: How many legs have
two spiders?
1. 2*8=16
Answer: 16
Question: half an example"""


def test_whole_examples_are_read_and_half_ones_are_not():
    found = read_demonstrations(WROTE)
    assert [one.answer for one in found] == ["5", "16"]
    assert found[0] == Demonstration("2+3", "1. 2+3=5", "5")
    assert str(found[0]) == "Question: 2+3\n1. 2+3=5\nAnswer: 5"


def test_crossed_examples_keep_all_but_the_answers():
    found = crossed(read_demonstrations(WROTE))
    assert [(one.question[:3], one.answer) for one in found] == [("2+3", "16"), ("How", "5")]


def test_nothing_to_show_is_no_wording():
    assert after([]) is None


def test_the_question_comes_after_the_examples(scripted, run):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return WROTE if "Do not answer it" in prompt else "1. so\nAnswer: 73"

    got = run(scripted(reply), "sec-contemplation", ASKED, k=1).answer
    assert "Write 1 new questions of the same kind" in seen[0]
    assert "Question: 37+48-12" in seen[0]
    shown, _, asked = seen[1].partition("Now this one:")
    assert "Question: 2+3\n1. 2+3=5\nAnswer: 5" in shown
    assert "spiders" not in shown
    assert "Question: 37+48-12" in asked
    assert (got.value, len(seen)) == ("73", 2)


def test_unreadable_examples_leave_a_plain_thought(scripted, run):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return "I would rather not." if "Do not answer it" in prompt else "1. so\nAnswer: 73"

    assert run(scripted(reply), "sec-contemplation", ASKED).answer.value == "73"
    assert "Worked examples" not in seen[1]


def test_the_bundled_models_dialect_refuses(scripted, run):
    for name in ("sec-contemplation", "self-discover"):
        with pytest.raises(CapabilityError):
            run(scripted(lambda prompt, k: 1 / 0, dialect="socrates"), name, ASKED)


def test_arms_of_the_study_by_hand(scripted):
    """Right only after examples that are right, whatever they are about; never without examples."""

    def reply(prompt: str, k: int) -> str:
        if "Do not answer it" in prompt:
            about = "beetles" if "nothing to do with" in prompt else "numbers"
            return f"Question: {about} 2+3\n1. 2+3=5\nAnswer: 5\nQuestion: {about} 2*8\n1. 2*8=16\nAnswer: 16"
        return "Answer: 73" if "2+3=5\nAnswer: 5" in prompt else "Answer: 70"

    row = asyncio.run(relevant_or_random(ASKED, Engine({"main": scripted(reply)}).mind(ASKED)))
    assert {name: row[name] for name in ("zero", "relevant", "random", "right", "crossed")} == {
        "zero": False, "relevant": True, "random": True, "right": 1.0, "crossed": 0.0,
    }  # fmt: skip


def test_examples_that_cannot_be_read_count_nowhere(scripted):
    row = asyncio.run(relevant_or_random(ASKED, Engine({"main": scripted(lambda prompt, k: "Answer: 73")}).mind(ASKED)))
    assert row == {"answer": "73", "zero": True}
