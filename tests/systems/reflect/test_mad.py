"""Multi-agent debate: who sees what, when the judge ends it, and what is judged when it does not."""

import asyncio

import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine

ASKED = Problem("p", "How many?", reference="9")


def debate(answers: str, verdicts: list[str], log: list[tuple[str, str]]):
    """Turns that answer in order, and a judge whose verdicts come in order."""
    said, ruled = iter(answers), iter(verdicts)

    def reply(prompt: str, k: int) -> str:
        if "Which option is best?" in prompt:
            log.append(("judge", prompt))
            return f"Choice: {next(ruled)}"
        log.append(("side", prompt))
        return f"1. turn {sum(who == 'side' for who, _ in log)}\nAnswer: {next(said)}"

    return reply


@pytest.mark.parametrize(
    ("answers", "verdicts", "answer", "order", "confidence"),
    [
        ("79", ["2"], "9", "ssj", 1 / 2),  # the judge ends it after the first round
        ("79", ["1"], "7", "ssj", 1 / 2),
        ("7975", ["3", "1"], "7", "ssjssj", 1 / 2),  # undecided, then the affirmative's last turn
        ("7999", ["3"], "9", "ssjss", 3 / 4),  # the sides come to agree: nobody need judge
        ("77", [], "7", "ss", 1.0),
        ("795678", ["3", "3", "3", "2"], "9", "ssjssjssjj", 1 / 6),  # never decided: the first statements are judged
        ("795678", ["3", "x", "3", "x"], "7", "ssjssjssjj", 2 / 6),  # an unreadable verdict decides nothing
    ],
)
def test_the_judge_breaks_off_as_soon_as_it_can(scripted, run, answers, verdicts, answer, order, confidence):
    log: list[tuple[str, str]] = []
    got = run(scripted(debate(answers, verdicts, log)), "mad", ASKED).answer
    assert "".join(who[0] for who, _ in log) == order
    assert (got.value, got.confidence) == (answer, pytest.approx(confidence))


def test_each_side_is_shown_the_others_last_turn_and_the_last_judgement_the_first(scripted, run):
    log: list[tuple[str, str]] = []
    run(scripted(debate("795678", ["3", "3", "3", "1"], log)), "mad", ASKED)
    sides = [prompt for who, prompt in log if who == "side"]
    assert "Attempt" not in sides[0]
    assert [f"turn {i}" in sides[i] and f"turn {i + 1}" not in sides[i] for i in range(1, 6)] == [True] * 5
    assert "do not share the answer" in sides[1]
    assert not any("do not share" in prompt for prompt in sides[2:])
    last = log[-1][1]
    assert "turn 1" in last
    assert "turn 2" in last
    assert "turn 6" not in last


def test_roles_are_played_by_the_roster(scripted):
    log: list[str] = []

    def plays(role: str, answer: str):
        def reply(prompt: str, k: int) -> str:
            log.append(role)
            return answer

        return scripted(reply)

    roster = {
        "main": plays("main", "Answer: 0"), "affirmative": plays("affirmative", "Answer: 7"),
        "negative": plays("negative", "Answer: 9"), "judge": plays("judge", "Choice: 2"),
    }  # fmt: skip
    solved = asyncio.run(Engine(roster).solve(ASKED, registry.find("mad")))
    assert (solved.answer.value, log) == ("9", ["affirmative", "negative", "judge"])


def test_on_control_tokens_the_sides_debate_by_answers_and_the_judge_verifies(scripted, run):
    log: list[str] = []

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if prompt.endswith("<check>"):
            return "<ans> 9 <ok> <yes>" if prompt.endswith("<ans> 9 <check>") else "<ans> 9 <bad> <no>"
        return "<s1> 3*3=9 <ans> 9" if "<note> 7" in prompt else "<s1> 3*3=7 <ans> 7"

    answer = run(scripted(reply, dialect="socrates"), "mad", Problem("p", "3*3", reference="9")).answer
    assert (answer.value, answer.confidence) == ("9", 0.5)
    assert log[1] == "<q> 3*3 <note> 7 <think>"
    assert len(log) == 4
