"""First try: where the thought is cut, when it goes on, and what a reflection is called."""

import asyncio

import pytest

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.systems.control.first_try import candidate_answers, kind_of, reflections

ASKED = Problem("p", "6*7", reference="42")
THOUGHT = "1. six sevens\nSo the answer is 41.\nWait, count again.\nThe answer is 42.\nCheck.\nAnswer: 42\n"


def in_pieces(chance: int):
    """Writes THOUGHT a line at a time; foresees `chance` per cent."""

    def reply(prompt: str, _: int) -> Sample:
        if "Do not solve it yet" in prompt:
            return Sample(f"Chance: {chance}%\nWords: 9", prompt_tokens=5, completion_tokens=6)
        if "Check the steps in order" in prompt:
            return Sample("First wrong step: none", prompt_tokens=5, completion_tokens=4)
        written = prompt.partition("[prefix] ")[2]
        line = THOUGHT[len(written) :].partition("\n")[0] + "\n"
        last = written + line == THOUGHT
        return Sample(line, finish="stop" if last else "length", prompt_tokens=5, completion_tokens=len(line.split()))

    return reply


def test_candidates_are_the_answers_that_lines_state(scripted):
    mind = Engine({"main": scripted(in_pieces(50))}).mind(ASKED)
    assert candidate_answers(ASKED, mind, THOUGHT) == ["41", "42", "42"]


@pytest.mark.parametrize(("chance", "candidates", "value", "lines"), [(90, 3, "41", 2), (10, 2, "42", 4), (10, 3, "42", 6)])
def test_truncates_at_the_candidate_that_the_gate_allows(scripted, run, chance, candidates, value, lines):
    solved = run(scripted(in_pieces(chance)), "first-try/main", ASKED, candidates=candidates)
    assert solved.answer.value == value
    assert sum(e.data["act"] in ("think", "extend") for e in solved.trace.of("sampled")) == lines


def test_a_thought_that_ends_by_itself_is_critiqued_and_revised(scripted, run):
    """41, faulted and revised to 42, found right: two thoughts' worth of answers for a doubtful question, one for a sure one."""

    def reply(prompt: str, _: int) -> str:
        if "Do not solve it yet" in prompt:
            return "Chance: 20%"
        if "Check the steps in order" in prompt:
            return "First wrong step: 1" if "Proposed answer: 41" in prompt else "First wrong step: none"
        return "1. again\nAnswer: 42" if "A reviewer says" in prompt else "1. once\nAnswer: 41"

    doubtful = run(scripted(reply), "first-try/main", ASKED)
    assert [e.data["act"] for e in doubtful.trace.of("sampled")] == ["foresee", "think", "critique", "revise", "critique"]
    assert doubtful.answer.value == "42"
    assert run(scripted(reply), "first-try/main", ASKED, doubt=0.9).answer.value == "41"


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [("42", "42", "confirmatory"), ("41", "41", "confirmatory"), ("41", "42", "corrective"), ("42", "41", "damaging"),
     ("40", "41", "wandering")],
)  # fmt: skip
def test_kinds_of_reflection(first, last, kind):
    assert kind_of(ASKED, first, last) == kind


def test_study_counts_reflections(scripted):
    """Every first answer is `x` (wrong), every critique finds step 1 wrong, every revision says `y` (wrong as well)."""

    def reply(prompt: str, _: int) -> str:
        if "Check the steps in order" in prompt:
            return "First wrong step: 1"
        return "Answer: y" if "A reviewer says" in prompt else "Answer: x"

    mind = Engine({"main": scripted(reply)}).mind(Problem("study", ""))
    found = asyncio.run(reflections(mind, n=12))
    assert found["shares"] == {"wandering": 1.0}
    assert found["reflection_token_share"] == pytest.approx(6 / 8)  # 4 words of critique and 2 of revision after 2 of thought
