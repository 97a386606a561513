"""Kinds of reflection on a mistake: who sees the right answer, who does not, and what is counted."""

import asyncio

import pytest

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.systems.reflect.self_reflection_in_agents import HIDDEN, KINDS, redact, self_reflection

ASKED = Problem("p", "How many?", reference="9")


def put(model, problem: Problem = ASKED):
    return asyncio.run(self_reflection(problem, Engine({"main": model}).mind(problem)))


def test_what_was_right_is_not_answered_again(scripted):
    calls: list[str] = []

    def reply(prompt: str, k: int) -> str:
        calls.append(prompt)
        return "1. so\nAnswer: 9"

    assert put(scripted(reply)) == {"answer": "9", "first": True}
    assert len(calls) == 1


def test_the_reflection_sees_the_answer_and_the_next_try_does_not(scripted):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        if "Look back at the solution" in prompt:
            return "It is 9, not 19: count the ninth." if "keywords" in prompt else "Count again."
        return "1. so\nAnswer: " + ("9" if "Count again" in prompt else "7")

    row = put(scripted(reply))
    reflecting = [prompt for prompt in seen if "Look back at the solution" in prompt]
    assert len(reflecting) == len(KINDS) == 5
    assert all("the right answer is 9" in prompt and "Proposed answer: 7" in prompt for prompt in reflecting)
    assert row["written"]["keywords"] == f"It is {HIDDEN}, not 19: count the ninth."
    tries = [prompt for prompt in seen if "An earlier answer of yours" in prompt]
    assert len(tries) == 8  # five kinds, all together, all together unredacted, and the bare word
    assert sum("It is 9" in prompt for prompt in tries) == 1
    assert (row["retry"], row["keywords"], row["advice"], row["composite"], row["unredacted"]) == (False, False, True, True, True)
    assert row["reflected"] == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("text", "reference", "left"),
    [("so 12, not 112 or 12.", "12", f"so {HIDDEN}, not 112 or {HIDDEN}."), ("PARIS it is", "Paris", f"{HIDDEN} it is"),
     ("a+b", "a+b", HIDDEN), ("nothing", "9", "nothing")],
)  # fmt: skip
def test_the_answer_is_struck_out_where_it_stands_by_itself(text, reference, left):
    assert redact(text, Problem("p", "?", reference=reference)) == left


def test_on_control_tokens_its_critique_is_the_reflection_and_a_retry_begins_at_the_first_step(scripted):
    def reply(prompt: str, k: int) -> str:
        if prompt.endswith("<check>"):
            return "<ans> 8 <bad> <no> <fault> <s2>"
        if prompt.endswith("<fault> <s2> <revise>"):
            return "<s2> 12-3=9 <ans> 9"
        return "<s1> 6+6=11 <ans> 8" if prompt.endswith("<fault> <s1> <revise>") else "<s1> 6+6=12 <s2> 12-3=8 <ans> 8"

    row = put(scripted(reply, dialect="socrates"), Problem("p", "6+6-3", reference="9"))
    assert (row["first"], row["retry"], row["explanation"], row["reflected"]) == (False, False, True, 1.0)
