"""A plan for each kind of task, made once from questions alone, and filled in for each question."""

from nosce.core.problem import Problem

SUMS = [Problem(f"s{i}", f"{i}+1", family="sums", reference=str(i + 1)) for i in range(4)]
RIDDLE = Problem("r", "What has keys?", family="riddles", reference="a piano")


def staged(log: list[str]):
    """Each stage echoes where it stands, and the plan names the task that it saw."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "call for?" in prompt:
            return "turn the words into symbols"
        if "Reword each" in prompt:
            return "write the numbers down"
        if "a JSON object" in prompt:
            return '{"riddle": ""}' if "keys?" in prompt else '{"numbers": "", "sum": ""}'
        return "Answer: 2" if '{"numbers": "", "sum": ""}' in prompt else "Answer: a piano"

    return reply


def test_three_calls_a_task_then_one_a_question(scripted, run):
    log: list[str] = []
    solved = run(scripted(staged(log)), "self-discover", SUMS[1], prepare=[*SUMS, RIDDLE])
    assert solved.answer.value == "2"
    assert len(log) == 3 + 3 + 1
    select, adapt, compose = log[:3]
    assert all(f"{i}+1" in select for i in range(3))  # three of its questions, and not the fourth
    assert "3+1" not in select
    assert "1. break the question into smaller ones" in select
    assert "Notes:\n- turn the words into symbols" in adapt
    assert "Notes:\n- write the numbers down" in compose
    assert not any("a piano" in prompt for prompt in log[:6])  # no reference is shown


def test_a_question_of_another_task_gets_its_own_plan_and_one_without_is_thought_about_plainly(scripted, run):
    log: list[str] = []
    run(scripted(staged(log)), "self-discover", RIDDLE, prepare=[*SUMS, RIDDLE])
    assert '{"riddle": ""}' in log[-1]
    run(scripted(staged(log)), "self-discover", Problem("x", "Why?", family="other"), prepare=SUMS)
    assert "Fill in this plan" not in log[-1]
