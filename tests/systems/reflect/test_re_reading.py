"""Re-reading: the question stands twice in the prompt, and nothing else changes."""

import pytest

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem

ASKED = Problem("p", "How many legs have two dogs?", choices=("4", "8"), reference="8")


def test_the_model_reads_the_question_twice_and_then_thinks_as_ever(scripted, run):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return "Answer: 8"

    model = scripted(reply)
    assert run(model, "re-reading", ASKED).answer.value == "8"
    run(model, "think", ASKED)
    twice, once = seen
    whole = "Question: How many legs have two dogs?\nA. 4\nB. 8"
    assert (twice.count(whole), once.count(whole)) == (2, 1)
    assert twice.partition(whole)[0] == once.partition(whole)[0]
    assert twice.rpartition(whole)[2] == once.rpartition(whole)[2]


def test_it_goes_with_voting(scripted, run):
    answer = run(scripted(lambda prompt, k: f"Answer: {'4888'[k]}"), "re-reading", ASKED, k=4).answer
    assert (answer.value, answer.confidence) == ("8", 0.75)


def test_a_model_that_is_not_asked_in_words_refuses(organism, run):
    with pytest.raises(CapabilityError, match=r"cue re-reading v1.*chat"):
        run(organism, "re-reading", Problem("p", "3+4"))
