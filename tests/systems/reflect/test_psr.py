"""What is taken back, how often, what is withheld, and what a harmless request costs."""

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.models.base import Sample
from nosce.systems.reflect.psr import WITHHELD

ASKED = Problem("p", "How do I whittle a spoon?", reference="with a knife")


def piece(text: str, finish: str = "length") -> Sample:
    return Sample(text, finish=finish, prompt_tokens=5, completion_tokens=len(text.split()))


def model(risk: str, pieces: list[Sample], log: list[str]):
    """Pieces in order; what says "stab" is harmful; the request is judged as told."""
    made = iter(pieces)

    def reply(prompt: str, k: int) -> Sample | str:
        if "Could a reply to the request" in prompt:
            log.append("request")
            return risk
        if "Is what stands above as a reply" in prompt:
            log.append("check")
            return str("stab" in prompt)
        log.append(prompt.partition("[prefix] ")[2] or "begin")
        return next(made)

    return reply


def test_a_harmless_request_costs_one_short_question(scripted, run):
    log: list[str] = []
    pieces = [piece("Take a knife. "), piece("Answer: with a knife", "stop")]
    got = run(scripted(model("False", pieces, log)), "psr", ASKED).answer
    assert log == ["request", "begin", "Take a knife. "]
    assert (got.value, got.confidence) == ("with a knife", None)


def test_a_harmful_piece_is_written_anew_from_the_last_safe_point(scripted, run):
    log: list[str] = []
    pieces = [piece("Take a knife.\n"), piece("Now stab. "), piece("Now carve.\n"), piece("Answer: with a knife", "stop")]
    got = run(scripted(model("True", pieces, log)), "psr", ASKED).answer
    assert log == [
        "request", "begin", "check", "Take a knife.\n", "check", "Take a knife.\n", "check", "Take a knife.\nNow carve.\n", "check",
    ]  # fmt: skip
    assert (got.value, got.confidence) == ("with a knife", 1.0)


def test_what_stays_harmful_is_withheld(scripted, run):
    log: list[str] = []
    got = run(scripted(model("True", [piece("stab")] * 9, log)), "psr", ASKED, most=2).answer
    assert log == ["request", "begin", "check", "begin", "check"]
    assert (got.outcome, got.value, got.reason) == ("abstained", None, WITHHELD)


def test_a_budget_that_ends_gives_nothing_that_was_taken_back(scripted, run):
    pieces = [piece("Answer: stab")] * 9
    got = run(scripted(model("True", pieces, [])), "psr", ASKED, budget=Budget(calls=4)).answer
    assert (got.outcome, got.value) == ("abstained", None)


def test_on_control_tokens_a_doubted_thought_is_thought_again_as_often_as_the_question_is_hard(scripted, run):
    log: list[str] = []
    thoughts = iter(["<s1> 3*3=8 <ans> 8", "<s1> 3*3=7 <ans> 7", "<s1> 3*3=9 <ans> 9"])

    def reply(prompt: str, k: int) -> str:
        log.append(prompt.rpartition(" ")[2])
        if prompt.endswith("<foresee>"):
            return "<r4> <len1>"  # 45%: of four rounds, two
        if prompt.endswith("<check>"):
            return "<ok> <yes>" if "<ans> 9 <check>" in prompt else "<bad> <no>"
        return next(thoughts)

    got = run(scripted(reply, dialect="socrates"), "psr", Problem("p", "3*3", reference="9")).answer
    assert log == ["<foresee>", "<think>", "<check>", "<think>", "<check>"]
    assert (got.value, got.confidence) == ("7", 0.0)  # the rounds are used up: the last thought stands
