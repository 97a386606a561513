"""The instructor's three instructions, each where it belongs."""

import pytest

from nosce.core.cost import Budget
from nosce.core.problem import Problem

ASKED = Problem("p", "How many?", reference="9")


def model(thoughts: str, revisions: str, faulted: str, believed: str, chosen: str, log: list[str]):
    """Thoughts, revisions and choices in order; answers in `faulted` get a critique, those in `believed` are held right."""
    again, picks, first = iter(revisions), iter(chosen), iter(thoughts)

    def reply(prompt: str, k: int) -> str:
        shown = prompt.rpartition("Proposed answer: ")[2][:1]
        if "Write a short numbered plan" in prompt:
            return "1. Count them."
        if "Check the steps in order" in prompt:
            log.append("c")
            return f"First wrong step: {1 if shown in faulted else 'none'}"
        if "Which option is best?" in prompt:
            log.append("select")
            return f"Choice: {next(picks)}"
        if "Is the proposed answer correct?" in prompt:
            log.append("v")
            return str(shown in believed)
        log.append("r" if "A reviewer says" in prompt else "t")
        said = next(again) if "A reviewer says" in prompt else next(first)
        return f"1. so\nAnswer: {said}" if said != "-" else "I would rather not say."

    return reply


@pytest.mark.parametrize(
    ("script", "order", "answer", "confidence"),
    [
        (("9", "", "", "9", ""), "t c v", "9", 1.0),  # no fault, held right: stop
        (("79", "", "", "9", ""), "t c v t c v", "9", 1 / 2),  # no fault, not held right: refresh, then stop
        (("7", "9", "7", "9", "2"), "t c r select c v", "9", 1 / 2),  # they differ: select the revision, then stop
        (("7", "99", "7", "7", "1"), "t c r select c r", "7", 1 / 2),  # select the earlier one; the budget ends in the next round
        (("7", "7", "7", "7", ""), "t c r v", "7", 1.0),  # revised to the same answer: consistent, held right
        (("7", "-", "7", "", ""), "t c r", "7", 1.0),  # a revision that cannot be read changes nothing
    ],
)
def test_select_refresh_and_stop(scripted, run, script, order, answer, confidence):
    """Calls are counted up to the last one in `order`; the plan comes first and is not logged."""
    log: list[str] = []
    calls = 1 + len(order.split())
    got = run(scripted(model(*script, log)), "iort", ASKED, budget=Budget(calls=calls)).answer
    assert " ".join(log) == order
    assert (got.value, got.confidence) == (answer, pytest.approx(confidence))


def test_the_meta_thought_stands_beside_the_question(scripted, run):
    seen: list[str] = []
    inner = model("9", "", "", "9", "", [])

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return inner(prompt, k)

    run(scripted(reply), "iort", ASKED)
    assert "Notes:\n- 1. Count them." in seen[1]


def test_without_the_instructor_every_revision_is_taken_until_no_fault_is_found(scripted, run):
    log: list[str] = []
    got = run(scripted(model("7", "89", "78", "", "", log)), "iort", ASKED, instructor=False).answer
    assert (" ".join(log), got.value) == ("t c r c r c", "9")
