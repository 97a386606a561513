"""CRITIC: the calculator finds the wrong step, and the revision is told which."""

import pytest

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.reflect.calculations import Calculation, stated_calculations

ASKED = Problem("p", "12+30-7", reference="35")
WRONG = "1. 12+30=43\n2. 43-7=36\nAnswer: 36"
RIGHT = "1. 12+30=42\n2. 42-7=35\nAnswer: 35"


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("12+30=42", [("12+30", "42")]),
        ("-3 + 5 = 2", [("-3 + 5", "2")]),
        ("First 2 × (3+4) = 14, then 14 - 1 = 13.", [("2 × (3+4)", "14"), ("14 - 1", "13")]),
        ("1,000*2=2,000", [("1,000*2", "2,000")]),
        ("3+4 = 5+2", []),  # no number stated on the right
        ("x = 5", []),
        ("the answer = 7", []),
        ("7 = 7", []),  # nothing is calculated
        ("T and F=F", []),
    ],
)
def test_what_counts_as_a_stated_calculation(step, found):
    assert stated_calculations([step]) == [(1, *pair) for pair in found]


def test_a_calculation_holds_when_the_numbers_are_equal_not_the_words():
    assert Calculation(1, "1000*2", "2,000", "2000").holds
    assert not Calculation(1, "12+30", "43", "42").holds


def script(log: list[str], first: str = WRONG, critique: str = "First wrong step: none"):
    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        return critique if "First wrong step:" in prompt else RIGHT if "Write a corrected" in prompt else first

    return reply


def test_the_first_wrong_calculation_is_repaired_and_then_it_stands(scripted, run):
    log: list[str] = []
    solved = run(scripted(script(log)), "critic", ASKED)
    assert (solved.answer.value, solved.answer.confidence, solved.answer.source) == ("35", 1.0, "verifier")
    _, critique, revision, again = log
    assert "Step 1: 12+30 = 42, not 43.\nStep 2: 43-7 = 36, as stated." in critique
    assert "the first wrong step is step 1. Step 1: 12+30 = 42, not 43." in revision
    assert "Step 2: 42-7 = 35, as stated." in again
    assert solved.answer.cost.tool_calls == 4


def test_without_tools_the_model_alone_finds_nothing(scripted, run):
    answer = run(scripted(script([])), "critic", ASKED, tools=False).answer
    assert (answer.value, answer.confidence, answer.cost.tool_calls) == ("36", None, 0)


def test_an_answer_that_comes_out_the_same_twice_running_ends_it(scripted, run):
    log: list[str] = []
    stubborn = script(log, critique="First wrong step: 1\nWhy: no.")
    answer = run(scripted(lambda prompt, k: stubborn(prompt, k).replace(RIGHT, WRONG)), "critic", ASKED, rounds=9).answer
    assert (answer.value, answer.confidence) == ("36", 0.5)
    assert sum("Write a corrected" in prompt for prompt in log) == 2


def test_without_a_tool_call_left_the_draft_stands(scripted, run):
    answer = run(scripted(script([])), "critic", ASKED, budget=Budget(tool_calls=0)).answer
    assert (answer.value, answer.partial) == ("36", True)


def test_the_bundled_dialect_is_told_the_step_without_a_word(scripted, run):
    """On control tokens the calculator's verdict goes straight into the revision: `<fault> <s1> <revise>`."""
    log: list[str] = []

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        steps = "12+30=42 <s2> 42-7=35 <ans> 35" if "<revise>" in prompt else "12+30=43 <s2> 43-7=36 <ans> 36"
        return f"<s1> {steps}"

    answer = run(scripted(reply, dialect="socrates"), "critic", ASKED).answer
    assert (answer.value, len(log)) == ("35", 2)
    assert log[1].endswith("<fault> <s1> <revise>")
