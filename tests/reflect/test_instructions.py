"""Rules that tell whether a thought followed an instruction, on sentences that do and do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.reflect.instructions import ENDING, KINDS, instruction
from nosce.systems.evaluate.reasonif import thought

CASES = [
    ("commas", "First this then that", "First this, then that"),
    ("capitals", "TWO AND 2 MAKE 4", "Two and 2 make 4"),
    ("length", "word " * 39, "word " * 40),
    ("ending", f"So it is. {ENDING.upper()}", f"{ENDING} So it is."),
    ("json", '```json\n{"step": 1}\n```', "{step: 1}"),
    ("language", "Сначала сложим, затем вычтем 3", "First we add, then we subtract 3"),
]


@pytest.mark.parametrize(("kind", "follows", "breaks"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_tells_one_from_the_other(kind: str, follows: str, breaks: str) -> None:
    rule = instruction(kind, 0)
    assert rule.followed(follows)
    assert not rule.followed(breaks)


def test_there_is_a_case_for_every_kind() -> None:
    assert {case[0] for case in CASES} == set(KINDS)


@given(st.text(), st.sampled_from(KINDS), st.integers(0, 20))
def test_no_text_makes_a_rule_fail(text: str, kind: str, turn: int) -> None:
    assert instruction(kind, turn).followed(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("1. two\n2. four\nAnswer: 4", "1. two\n2. four"), ("<think>hm</think> Answer: 4", "hm"), ("Answer: 4", ""), ("", "")],
)
def test_the_thought_is_what_stands_before_the_answer(text: str, kept: str) -> None:
    assert thought(text) == kept
