"""Earlier mistakes: which are kept, which are shown, and what the answer to the question about them does."""

from nosce.core.problem import Problem

PRACTICE = [
    Problem("a", "boil 3 eggs for 5 minutes", reference="5"), Problem("b", "boil 9 eggs for 5 minutes", reference="5"),
    Problem("c", "paint 4 walls", reference="4"),
]  # fmt: skip
ASKED = Problem("p", "boil 6 eggs for 5 minutes", reference="5")


def model(log: list[str], repeats: bool = True):
    """Multiplies eggs by minutes, until it is told; is right about walls."""

    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "Say in one line what type" in prompt:
            return "multiplied what happens at once\nand more"
        if "Check the steps in order" in prompt:
            wrong = repeats and "Proposed answer: 30" in prompt
            return f"First wrong step: {1 if wrong else 'none'}"
        if "A reviewer says" in prompt:
            return "Answer: 5"
        return "Answer: 4" if "walls" in prompt else "1. 6*5=30\nAnswer: 30"

    return reply


def test_wrong_thoughts_alone_are_kept_with_their_type_in_one_line(scripted, run):
    log: list[str] = []
    got = run(scripted(model(log)), "coterrorset", ASKED, prepare=PRACTICE).answer
    naming = [prompt for prompt in log if "Say in one line what type" in prompt]
    assert len(naming) == 2  # the two about eggs; the walls were right
    assert all("The right answer is 5." in prompt for prompt in naming)
    asked = [prompt for prompt in log if "Has a mistake like one of these" in prompt]
    assert asked[0].count("- multiplied what happens at once\n") == 2
    assert "and more" not in asked[0]
    assert (got.value, len(asked)) == ("5", 2)  # revised once, then content


def test_no_repeats_no_revision(scripted, run):
    log: list[str] = []
    assert run(scripted(model(log, repeats=False)), "coterrorset", ASKED, prepare=PRACTICE).answer.value == "30"
    assert not any("A reviewer says" in prompt for prompt in log)


def test_a_question_unlike_all_others_is_thought_about_plainly(scripted, run):
    log: list[str] = []
    run(scripted(model(log)), "coterrorset", Problem("x", "why", reference="4"), prepare=PRACTICE)
    assert "Check the steps" not in log[-1]
