"""The chat dialect: every act has a prompt, every reply a reading, and no text breaks it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.core.attempt import Attempt
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import ACTS, Critique, Foresight, Given
from nosce.mind.dialects.chat import Chat
from nosce.models.base import Sample

PROBLEM = Problem("p", "What is 17 + 25?", choices=())
CHOICE = Problem("c", "Which is red?", choices=("grass", "blood", "sky"))
ATTEMPT = Attempt("n0", "1. 17+25=42\nAnswer: 42", "42")
GIVEN = Given(attempt=ATTEMPT, attempts=(ATTEMPT,), critique=Critique(1, "off"), notes=("be brief",), options=("a: one", "b: two"))


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_rendered_with_the_question(act: str) -> None:
    rendered = Chat(continuation=True).render(act, PROBLEM, GIVEN)
    assert rendered.prompt.messages[-1].role == "user"
    assert "17 + 25" in rendered.prompt.messages[-1].content
    assert rendered.max_tokens > 0


@given(act=st.sampled_from(ACTS), text=st.text(max_size=300), choices=st.booleans())
def test_no_reply_breaks_a_reading(act: str, text: str, choices: bool) -> None:
    read = Chat(continuation=True).read(act, Sample(text), CHOICE if choices else PROBLEM, GIVEN)
    if act in ("verify", "rate"):
        assert read is None or 0 <= read <= 1


@given(st.text(alphabet="Answer: is\n*_`.\\boxed{}0123456789-", max_size=80))
def test_answer_like_noise_is_read_without_error(text: str) -> None:
    Chat().read("think", Sample(text), PROBLEM, Given())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1. 17+25=42\nAnswer: 42", "42"),
        ("**Final answer:** 42.", "42"),
        ("So the answer is 42", "42"),
        ("We get 42. The answer is: 42", "42"),
        ("first Answer: 41\nno wait\nAnswer: 42", "42"),
        (r"thus \boxed{42}", "42"),
        ("I do not know", None),
        ("", None),
        ("Answer:", None),
        ("The answer is **42**.", "42"),
    ],
)
def test_the_stated_answer(text: str, answer: str | None) -> None:
    read = Chat().read("think", Sample(text), PROBLEM, Given())
    assert read == answer


@pytest.mark.parametrize("said", ["B", "(B)", "b) blood", "blood", "Blood"])
def test_choices_are_read_by_letter_or_text(said: str) -> None:
    assert Chat().read("think", Sample(f"Answer: {said}"), CHOICE, Given()) == "blood"


def test_p_true_comes_from_the_alternatives_of_the_first_deciding_token() -> None:
    top = ((("The", -0.01),), ((" True", math.log(0.6)), ("False", math.log(0.2)), ("maybe", math.log(0.2))))
    assert Chat().read("verify", Sample("True", top=top), PROBLEM, Given()) == pytest.approx(0.75)
    assert Chat().read("verify", Sample("False, it is wrong"), PROBLEM, Given()) == 0.0
    assert Chat().read("verify", Sample("who knows"), PROBLEM, Given()) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("Confidence: 80%", 0.8), ("confidence = 0.8", 0.8), ("80", 0.8), ("Confidence: 1%", 0.01), ("250%", None), ("high", None)],
)
def test_stated_confidence(text: str, value: float | None) -> None:
    assert Chat().read("rate", Sample(text), PROBLEM, Given()) == (None if value is None else pytest.approx(value))


def test_critique_foresight_judge_and_choice() -> None:
    chat = Chat()
    said = Sample("First wrong step: 2\nWhy: carried wrongly")
    assert chat.read("critique", said, PROBLEM, Given()) == Critique(2, "carried wrongly")
    assert not chat.read("critique", Sample("First wrong step: none"), PROBLEM, Given()).fault
    assert chat.read("foresee", Sample("Chance: 70%\nWords: 30"), PROBLEM, Given()) == Foresight(0.7, 40.0)
    assert chat.read("judge", Sample("Choice: 2"), PROBLEM, GIVEN) == 1
    assert chat.read("judge", Sample("Choice: 9"), PROBLEM, GIVEN) is None
    assert chat.read("choose", Sample("Method: b"), PROBLEM, GIVEN) == "b"


def test_going_on_needs_a_server_that_can() -> None:
    with pytest.raises(CapabilityError, match="extend"):
        Chat().render("extend", PROBLEM, Given(prefix="1. "))
    assert Chat(continuation=True).render("extend", PROBLEM, Given(prefix="1. ")).prompt.prefix == "1. "


def test_a_cue_without_a_rendering_is_refused() -> None:
    with pytest.raises(CapabilityError, match="twice"):
        Chat().render("think", PROBLEM, Given(cue=Cue("twice", 1, {"socrates": "{question} {question}"})))
    shown = Chat().render("think", PROBLEM, Given(cue=Cue("twice", 1, {"chat": "{question}\nAgain: {question}"})))
    assert shown.prompt.messages[-1].content.count("17 + 25") == 2
