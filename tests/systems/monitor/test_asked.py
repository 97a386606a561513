"""What the model says of itself, on a model whose every reply is written down."""

import asyncio

import pytest

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine

ASKED = Problem("p", "2+2", reference="4")
FOUR = [Attempt("n0", "2+2 is 4.\nAnswer: 4", "4")]


def measured(model, name, attempts=FOUR, problem=ASKED, *more, **options):
    mind = Engine({"main": model}).mind(problem)
    return asyncio.run(registry.find(name).run(problem, attempts, mind, *more, **options))


def test_a_stated_number(scripted):
    model = scripted(lambda prompt, k: f"Confidence: {80 - 20 * k}%" if "Proposed answer: 4" in prompt else "?")
    assert measured(model, "stated-confidence").value == 0.8
    model = scripted(lambda _, k: f"Confidence: {80 - 20 * k}%")
    assert measured(model, "stated-confidence", checks=2).value == pytest.approx(0.7)


def test_stated_words_stand_for_numbers(scripted):
    model = scripted(lambda prompt, _: "Choice: 2" if "2. Probable." in prompt and "Proposed answer: 4" in prompt else "?")
    found = measured(model, "stated-confidence/words")
    assert (found.value, found.source) == (0.75, "verbal")
    silent = measured(scripted(lambda *_: "I would rather not say."), "stated-confidence/words")
    assert (silent.value, silent.source) == (None, "none")


def test_confidence_along_with_the_answer(scripted, run):
    sure = run(scripted(lambda *_: "1. 2+2=4\nAnswer: 4\nConfidence: 85%"), "stated-confidence/one-step", ASKED).answer
    assert (sure.value, sure.confidence, sure.source) == ("4", 0.85, "verbal")
    silent = run(scripted(lambda *_: "The confidence of youth.\nAnswer: 4"), "stated-confidence/one-step", ASKED).answer
    assert (silent.value, silent.confidence, silent.source) == ("4", None, "none")


def test_comparisons_cancel_a_liking_for_the_first_place(scripted):
    anchors = Artifact("relative-confidence", "anchors", {"questions": {"p": "2+2", "a": "17*23", "b": "1+1"}})
    first = measured(scripted(lambda *_: "Choice: 1"), "relative-confidence", FOUR, ASKED, anchors)
    assert first.value == 0.5

    def knows(prompt: str, _: int) -> str:  # prefers 1+1 to 2+2 to 17*23
        shown = {line.partition(". ")[2]: line[0] for line in prompt.splitlines() if line[:3] in ("1. ", "2. ")}
        return "Choice: " + next(shown[text] for text in ("1+1", "2+2", "17*23") if text in shown)

    assert measured(scripted(knows), "relative-confidence", FOUR, ASKED, anchors).value == 0.5  # beats one, yields to one
    easier = Problem("b", "1+1")
    assert measured(scripted(knows), "relative-confidence", FOUR, easier, anchors).value == 1.0


def test_anchors_are_some_of_the_questions(scripted):
    system = registry.find("relative-confidence")
    questions = [Problem(f"q{i}", str(i)) for i in range(20)]
    engine = Engine({"main": scripted(lambda *_: "Choice: 1")})
    made = asyncio.run(engine.prepare(system, questions, options={"most": 4}))
    assert len(made.data["questions"]) == 4
    assert made.cost.calls == 0
    with pytest.raises(InputError, match="most=0"):
        asyncio.run(engine.prepare(system, questions, options={"most": 0}))


def test_sentences_against_the_other_attempts(scripted):
    others = [Attempt("n1", "2+2 is 4.\nAnswer: 4", "4"), Attempt("n2", "2+2 is 5.\nAnswer: 5", "5")]

    def checks(prompt: str, _: int) -> str:
        passage, sentence = prompt.partition("Passage: ")[2].partition("\nQuestion:")[0], prompt.partition("Sentence: ")[2]
        return "Choice: 1" if sentence.splitlines()[0] in passage else "Choice: 2"

    found = measured(scripted(checks), "selfcheck-prompt", [*FOUR, *others])
    assert (found.value, found.source) == (0.5, "samples")  # its one step stands in one of two samples
    undecided = measured(scripted(lambda *_: "Hm."), "selfcheck-prompt", [*FOUR, *others])
    assert undecided.value == 0.5
    assert measured(scripted(checks), "selfcheck-prompt").source == "none"


def test_nothing_to_look_at_is_refused(scripted):
    for name in ("stated-confidence", "stated-confidence/words", "selfcheck-prompt"):
        with pytest.raises(InputError, match="at least"):
            measured(scripted(lambda *_: "x"), name, [])
