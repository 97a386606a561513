"""Skills: named, put into families, chosen, and what is shown of them."""

import pytest

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem

PRACTICE = [
    Problem("a", "2+3", reference="5"), Problem("b", "4-1", reference="3"), Problem("c", "area of 2 by 3", reference="6"),
    Problem("d", "area of 4 by 4", reference="16"),
]  # fmt: skip
ASKED = Problem("p", "area of 3 by 3", reference="9")


def model(log: list[str]):
    """Names three skills, groups two of them, and is wrong about one question."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "Name the one skill" in prompt:
            return "Well.\nSkill: " + ("Area." if "area" in prompt else "Adding" if "+" in prompt else "Taking away")
        if "families of like ones" in prompt:
            return "- Sums: adding, taking away, nothing else\nnonsense"
        if "Which of these methods" in prompt:
            return "Method: area"
        asked = prompt.rpartition("Question: ")[2].partition("\n")[0]
        return "1. worked\nAnswer: " + {"2+3": "5", "4-1": "3", "area of 2 by 3": "6", "area of 4 by 4": "15"}.get(asked, "9")

    return reply


def test_solved_questions_of_the_chosen_skill_alone_are_shown(scripted, run):
    log: list[str] = []
    got = run(scripted(model(log)), "metacognitive-skill-labels", ASKED, prepare=PRACTICE).answer
    listed = next(prompt for prompt in log if "Which of these methods" in prompt)
    assert "1. sums\n2. area" in listed  # two fine labels made one family; a label that no family took up stands alone
    shown = log[-1].partition("Now this one:")[0]
    assert "Question: area of 2 by 3\n1. worked\nAnswer: 6" in shown
    assert "Question: area of 4 by 4\n\nAnswer: 16" not in shown
    assert "Question: area of 4 by 4\nAnswer: 16" in shown  # its own solution was wrong: the right answer alone
    assert "2+3" not in shown
    assert got.value == "9"


def test_unmatched_examples_come_from_every_skill_and_nothing_is_chosen(scripted, run):
    log: list[str] = []
    run(scripted(model(log)), "metacognitive-skill-labels", ASKED, prepare=PRACTICE, matched=False, shots=4)
    assert not any("Which of these methods" in prompt for prompt in log)
    assert all(problem.text in log[-1] for problem in PRACTICE)


def test_the_bundled_models_dialect_refuses(scripted, run):
    with pytest.raises(CapabilityError, match="act choose"):
        run(scripted(lambda prompt, k: 1 / 0, dialect="socrates"), "metacognitive-skill-labels", Problem("p", "3*3"))
