"""Own verdicts: the ranking and its ties, and precision by hand."""

import asyncio

import numpy as np
import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Sample
from nosce.systems.reflect.self_prm import drop, lift_on_hard, on_easy, on_hard

ASKED = Problem("p", "How many?", reference="9", level=5)


def judge(thoughts: str, belief: dict[str, float], log: list[str] | None = None):
    """Thoughts in order, and P(True) by answer."""

    def reply(prompt: str, k: int) -> Sample | str:
        if "Is the proposed answer correct?" not in prompt:
            return f"1. so\nAnswer: {thoughts[k]}" if thoughts[k] != "-" else "I would rather not say."
        said = prompt.rpartition("Proposed answer: ")[2][0]
        if log is not None:
            log.append(said)
        if said not in belief:
            return "Perhaps."
        p = belief[said]
        return Sample("True", top=((("True", float(np.log(p))), ("False", float(np.log(1 - p)))),), completion_tokens=1)

    return reply


@pytest.mark.parametrize(
    ("thoughts", "belief", "answer", "confidence"),
    [
        ("7779", {"7": 0.4, "9": 0.8}, "9", 0.8),  # one solution that it believes in outweighs three that it doubts
        ("79", {"7": 0.6, "9": 0.6}, "7", 0.6),  # a tie goes to the first drawn
        ("797", {"7": 0.6, "9": 0.6}, "7", 0.6),
        ("-9", {"9": 0.1}, "9", 0.1),
        ("779", {}, "7", 2 / 3),  # no verdict can be read: the vote decides
        ("--", {}, None, None),
    ],
)
def test_the_surest_solution_is_the_answer(scripted, run, thoughts, belief, answer, confidence):
    got = run(scripted(judge(thoughts, belief)), "self-prm/main", ASKED, n=len(thoughts)).answer
    assert got.value == answer
    assert got.confidence == (None if confidence is None else pytest.approx(confidence))


def test_solutions_alike_word_for_word_are_judged_once(scripted, run):
    log: list[str] = []
    run(scripted(judge("7979", {"7": 0.4, "9": 0.8}, log)), "self-prm/main", ASKED, n=4)
    assert log == ["7", "9"]


def test_precision_easy_hard_its_drop_and_its_lift():
    """Easy: 2 of 2 accepted are right. Hard: 1 of 4 accepted is right, and 2 of 5 solutions are."""
    right = np.array([1.0, 1, 0, 1, 0, 0, 0, 1])
    accepted = np.array([1.0, 1, 0, 1, 1, 1, 1, 0])
    level = np.array([1.0, 2, 2, 5, 5, 6, 6, 6])
    assert (on_easy(right, accepted, level), on_hard(right, accepted, level)) == (1.0, 0.25)
    assert drop(right, accepted, level) == 0.75
    assert lift_on_hard(right, accepted, level) == pytest.approx(0.25 - 0.4)


def test_each_solution_is_a_row_with_its_verdict(scripted):
    mind = Engine({"main": scripted(judge("7979", {"7": 0.7, "9": 0.3}))}).mind(ASKED)
    rows = asyncio.run(registry.find("S119/precision").run(ASKED, mind, samples=4))
    assert [(row["right"], row["accepted"], row["tier"]) for row in rows] == [(False, True, 5), (True, False, 5)] * 2
