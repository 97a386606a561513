"""S161 on a speaker whose certainty is planted: what it says is what fresh samples show."""

import asyncio

import pytest

from nosce.core.artifact import Artifact
from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.monitor.hedges import Lexicon
from nosce.systems.monitor.faithful_uncertainty import expressed, faithful_uncertainty, fit_words

ASKED = Problem("p", "2+2", reference="4")
PLAIN = Artifact(
    "faithful-uncertainty", "lexicon", {"calibrator": {"kind": "identity", "parameters": {}}, "meanings": Lexicon().data()}
)


def says(model_of, answers: str):
    """A model whose draws are these answers in turn."""
    return model_of(lambda prompt, draw: f"Answer: {answers[draw % len(answers)]}")


def told(scripted, answers: str, **options):
    async def go():
        mind = Engine({"main": says(scripted, answers)}).mind(ASKED)
        return await faithful_uncertainty(ASKED, mind, PLAIN, **options), mind

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("answers", "words", "worth"),
    [
        ("4444", "The answer is 4.", 1.0),
        ("4445", "It is likely that the answer is 4.", 0.675),
        ("4455", "It is as likely as not that the answer is 4.", 0.5),
        ("4567", "Perhaps it is 4.", 0.325),
    ],
)
def test_the_words_follow_the_votes(scripted, answers, words, worth):
    """Shares 1, 3/4, 2/4 and 1/4 with an untouched lexicon: the nearest meanings are 1, .675, .5 and .325."""
    answer, _ = told(scripted, answers, k=4)
    assert (answer.value, answer.reason) == ("4", words)
    assert expressed(answer) == worth
    assert answer.confidence == pytest.approx(answers.count("4") / 4)


def test_too_unsure_is_silence_and_the_decision_is_recorded(scripted):
    answer, mind = told(scripted, "45678", k=5, floor=0.3)
    assert (answer.outcome, answer.value) == ("abstained", None)
    assert expressed(answer) is None
    assert next(mind.work.trace.of("decided")).data["action"] == "abstain"
    answer, mind = told(scripted, "4444", k=4)
    assert next(mind.work.trace.of("decided")).data["hedge"] == "plain"


def test_five_equal_votes_of_a_coin_are_worth_no_more_than_a_coin(scripted):
    """Every question's draws say 4, 4, 4, 4, 4 and then alternate: votes that look certain are measured at one half."""
    model = scripted(lambda prompt, draw: f"Answer: {4 if draw < 5 or draw % 2 else 5}")
    problems = [Problem(f"p{i}", f"{i}+2", reference="4") for i in range(40)]

    async def go():
        mind = Engine({"main": model}).mind(Problem("prepare", ""))
        return await fit_words(problems, mind, k=5)

    words = asyncio.run(go())
    answer = asyncio.run(faithful_uncertainty(ASKED, Engine({"main": says(scripted, "4")}).mind(ASKED), words))
    assert expressed(answer) == pytest.approx(0.5, abs=0.02)
    assert answer.confidence == pytest.approx(0.5, abs=0.02)
    assert answer.reason == "It is as likely as not that the answer is 4."
