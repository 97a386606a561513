"""Perspectives, what sets solutions apart, and the weighted vote over what was revised."""

import pytest

from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique
from nosce.systems.reflect.self_contrast import departure

ASKED = Problem("p", "How many?", reference="9")


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ("ab", "ac", Critique(2)),
        ("ab", "cb", Critique(1)),
        ("abc", "ab", Critique(3)),
        ("ab", "abc", Critique(None, conclusion=True)),  # nothing of its own differs but where it ends
        ("ab", "ab", Critique(None, conclusion=True)),
    ],
)
def test_a_solution_departs_at_its_first_step_that_differs(mine, theirs, found):
    assert departure(list(mine), list(theirs)) == found


def model(answers: dict[str, str], revised: dict[str, str], log: list[str]):
    """Answers by perspective (the last word of the note), revisions by the answer that is shown."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "Name 3 really different ways" in prompt:
            return "Well:\n- count from a\n- count from b\n- count from c"
        if "Where exactly do they differ" in prompt:
            return "- Is b counted twice?"
        if "Write a corrected" in prompt:
            return f"Answer: {revised[prompt.rpartition('Proposed answer: ')[2][0]]}"
        return f"1. so\nAnswer: {answers[prompt.partition('count from ')[2][:1]]}"

    return reply


@pytest.mark.parametrize(
    ("answers", "revised", "answer", "confidence", "calls"),
    [
        ({"a": "9", "b": "9", "c": "9"}, {}, "9", 1.0, 4),  # nothing to contrast
        ({"a": "7", "b": "7", "c": "9"}, {"7": "9", "9": "9"}, "9", 1.0, 7),  # revised to agreement
        ({"a": "7", "b": "7", "c": "9"}, {"7": "7", "9": "9"}, "7", 2 / 3, 7),  # each weighs what it stands for
        ({"a": "7", "b": "8", "c": "9"}, {"7": "7", "8": "9", "9": "9"}, "9", 2 / 3, 8),
    ],
)
def test_one_of_each_answer_is_revised_by_the_checklist(scripted, run, answers, revised, answer, confidence, calls):
    log: list[str] = []
    got = run(scripted(model(answers, revised, log)), "self-contrast", ASKED, perspectives=3).answer
    assert (got.value, got.confidence, len(log)) == (answer, pytest.approx(confidence), calls)
    assert all("Is b counted twice?" in prompt for prompt in log if "Write a corrected" in prompt)


def test_on_control_tokens_each_is_revised_from_the_step_that_sets_it_apart(scripted, run):
    seen: list[str] = []
    thoughts = ["<s1> 6+6=12 <s2> 12-3=8 <ans> 8"] * 2 + ["<s1> 6+6=12 <s2> 12-3=9 <ans> 9"]

    def reply(prompt: str, k: int) -> str:
        if "<revise>" not in prompt:
            return thoughts[k]
        seen.append(prompt.rpartition("<fault> ")[2])
        return "<s2> 12-3=9 <ans> 9"

    got = run(scripted(reply, dialect="socrates"), "self-contrast", Problem("p", "6+6-3", reference="9"), perspectives=3).answer
    assert (got.value, got.confidence, seen) == ("9", 1.0, ["<s2> <revise>"] * 2)
