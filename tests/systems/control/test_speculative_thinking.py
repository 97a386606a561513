"""Who writes what: the larger model takes over at words of reflection, for its share of tokens, and hands back."""

import asyncio

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence.prove import prove
from nosce.mind.engine import Engine, Solved
from nosce.models.base import Sample

ASKED = Problem("p", "37+48-12", reference="73")


def piece(text: str, finish: str = "length") -> Sample:
    return Sample(text, finish=finish, prompt_tokens=5, completion_tokens=len(text.split()))


def solve(small, large, **options) -> Solved:
    system = registry.find("S146")
    engine = Engine({"main": small, "large": large})
    engine.check(system, options)
    return asyncio.run(engine.solve(ASKED, system, options))


def written_up_to(prompt: str) -> str:
    return prompt.partition("[prefix] ")[2]


def test_the_larger_model_writes_after_the_cue_and_the_smaller_goes_on(scripted):
    small_saw: list[str] = []
    large_saw: list[str] = []

    def small(prompt: str, k: int) -> Sample:
        small_saw.append(prompt)
        so_far = written_up_to(prompt)
        if not so_far:
            return piece("1. 37+48=86\n\nWait, is that so? I think it is")
        return piece("\n2. 85-12=73\nAnswer: 73", "stop") if "85" in so_far else piece("\nAnswer: 74", "stop")

    def large(prompt: str, k: int) -> Sample:
        large_saw.append(written_up_to(prompt))
        return piece("Wait, 37+48=85.")

    solved = solve(scripted(small), scripted(large))
    assert large_saw == ["1. 37+48=86\n\n"]  # what the small one wrote after the cue is gone
    assert written_up_to(small_saw[1]) == "1. 37+48=86\n\nWait, 37+48=85."
    assert solved.answer.value == "73"
    assert next(e.data for e in solved.trace.of("decided") if e.data["action"] == "stop") == {
        "action": "stop", "reason": "the thought has ended", "small": 10 + 4, "large": 2,
    }  # fmt: skip


def test_what_the_larger_model_wrote_is_not_handed_over_again_and_takeovers_are_bounded(scripted):
    def small(prompt: str, k: int) -> Sample:
        return piece("so\n\nBut then", "stop" if written_up_to(prompt).count("Hmm") >= 2 else "length")

    calls: list[str] = []

    def large(prompt: str, k: int) -> Sample:
        calls.append(prompt)
        return piece("Hmm\n\nWait, no. ")

    solve(scripted(small), scripted(large), takeovers=2, most=9)
    assert len(calls) == 2


def test_no_word_of_reflection_no_larger_model(scripted):
    solved = solve(scripted(lambda p, k: piece("1. so\n\n2. however it goes\nAnswer: 74", "stop")), scripted(lambda p, k: 1 / 0))
    assert solved.answer.value == "74"


def test_on_control_tokens_the_larger_model_finds_the_step_and_begins_it_anew(scripted):
    log: list[tuple[str, str]] = []

    def small(prompt: str, k: int) -> Sample:
        log.append(("small", prompt))
        return piece("<s2> 85-12=73 <ans> 73", "stop") if "=85" in prompt else piece("<s1> 37+48=86 <s2> 86-12=74 <ans> 74", "stop")

    def large(prompt: str, k: int) -> Sample:
        log.append(("large", prompt))
        if prompt.endswith("<check>"):
            return piece("<ok> <yes>" if "=85" in prompt else "<bad> <no> <fault> <s1>", "stop")
        return piece("<s1> 37+48=85 ")

    solved = solve(scripted(small, dialect="socrates-base"), scripted(large, dialect="socrates"))
    assert solved.answer.value == "73"
    assert [who for who, _ in log] == ["small", "large", "large", "small", "large"]
    assert log[2][1].endswith("<think>")
    assert log[3][1].endswith("<think> <s1> 37+48=85")


def test_the_record_names_the_larger_model_too(scripted):
    small, large = scripted(lambda p, k: piece("Answer: 74", "stop")), scripted(lambda p, k: piece("Answer: 73", "stop"))
    large.version = "large-1"
    alone = asyncio.run(prove(registry.find("S146"), {"main": small}, [ASKED]))
    both = asyncio.run(prove(registry.find("S146"), {"main": small, "large": large}, [ASKED]))
    assert "model large" not in alone.versions
    assert both.versions["model large"] == "large-1"
