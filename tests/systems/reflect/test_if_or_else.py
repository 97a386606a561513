"""If-or-Else: two turns when the answer is kept, a third that decides when it is not."""

import pytest

from nosce.core.problem import Problem

ASKED = Problem("p", "How many?", reference="9")


def turns(first: str, second: str, third: str, log: list[str]):
    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        said = third if "two solutions" in prompt else second if "If you are confident" in prompt else first
        return f"1. so\nAnswer: {said}" if said else "I would rather not say."

    return reply


@pytest.mark.parametrize(
    ("said", "calls", "answer", "confidence"),
    [
        (("9", "9", "x"), 2, "9", 1.0),  # kept: no third turn
        (("7", "9", "9"), 3, "9", 2 / 3),  # updated, and the third turn agrees
        (("7", "9", "7"), 3, "7", 2 / 3),  # updated, and the third turn goes back
        (("7", "9", ""), 3, "9", 1 / 3),  # a third turn that cannot be read leaves the second
        (("", "9", "9"), 3, "9", 2 / 3),
    ],
)
def test_the_answer_is_kept_or_the_third_turn_decides(scripted, run, said, calls, answer, confidence):
    log: list[str] = []
    got = run(scripted(turns(*said, log)), "if-or-else", ASKED).answer
    assert (got.value, got.confidence, len(log)) == (answer, pytest.approx(confidence), calls)


def test_each_turn_shows_what_went_before(scripted, run):
    log: list[str] = []
    run(scripted(turns("7", "9", "9", log)), "if-or-else", ASKED)
    assert "Proposed answer: 7" in log[1]
    assert "Attempt 1:\n1. so\nAnswer: 7" in log[2]
    assert "Attempt 2:\n1. so\nAnswer: 9" in log[2]


def test_the_second_turn_never_says_that_anything_is_wrong(scripted, run):
    log: list[str] = []
    run(scripted(turns("7", "7", "", log)), "if-or-else", ASKED)
    assert not any(word in log[1].lower() for word in ("wrong", "mistake", "incorrect", "error", "corrected"))
