"""Thesis, antithesis, synthesis: the temperatures, the voters, and the end."""

import asyncio

import pytest
from tests.scripted import LOGPROBS, ScriptedChat

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample

ASKED = Problem("p", "How many?", reference="9")


def model(thesis: str, syntheses: str, valid: str, log: list[str] | None = None):
    """Syntheses in order; those in `valid` are voted for."""
    made = iter(syntheses)

    def reply(prompt: str, k: int) -> str:
        if log is not None:
            log.append(prompt)
        if "Take the opposite side" in prompt:
            return "It is not so.\nAnswer: 0"
        if "Is the proposed answer correct?" in prompt:
            return str(prompt.rpartition("Proposed answer: ")[2][0] in valid)
        return f"1. so\nAnswer: {next(made) if 'Write a corrected' in prompt else thesis}"

    return reply


@pytest.mark.parametrize(
    ("thesis", "syntheses", "valid", "answer", "confidence"),
    [
        ("7", "9999", "9", "9", 1.0),  # new and valid: it is the thesis, and the same again is nothing new
        ("7", "9999", "", "7", None),  # not held valid by the voters
        ("7", "7777", "7", "7", None),  # nothing new, so nobody votes
        ("7", "8889", "89", "9", 1.0),  # a second new and valid one in the last round
        ("7", "8787", "8", "8", 1.0),  # back to an old thesis is not new
    ],
)
def test_a_synthesis_must_be_new_and_valid(scripted, run, thesis, syntheses, valid, answer, confidence):
    got = run(scripted(model(thesis, syntheses, valid)), "S342", ASKED).answer
    assert (got.value, got.confidence) == (answer, confidence)


def test_the_antithesis_stands_beside_the_thesis(scripted, run):
    log: list[str] = []
    run(scripted(model("7", "8888", "8", log)), "S342", ASKED, rounds=1)
    synthesis = next(prompt for prompt in log if "Write a corrected" in prompt)
    assert "Proposed answer: 7" in synthesis
    assert "Notes:\n- It is not so." in synthesis


def test_the_temperature_falls_geometrically_to_the_cold_one():
    class Noting(ScriptedChat):
        async def sample(self, request: Request) -> list[Sample]:
            if "Write a corrected" in request.prompt.messages[-1].content:
                asked.append(request.temperature)
            return await super().sample(request)

    asked: list[float] = []
    problem = Problem("q", "37+48-12", reference="73")
    options = {"rounds": 2, "hot": 0.8, "cold": 0.2}
    asyncio.run(Engine({"main": Noting(LOGPROBS)}).solve(problem, registry.find("S342"), options))
    assert asked == [pytest.approx(0.4), pytest.approx(0.2)]


def test_a_temperature_that_would_rise_is_refused(scripted, run):
    got = run(scripted(lambda prompt, k: 1 / 0), "S342", ASKED, hot=0.2, cold=0.7).answer
    assert got.outcome == "failed"
    assert "expected 0 < cold <= hot" in got.reason


def test_on_control_tokens_no_fault_found_ends_it(scripted, run):
    def reply(prompt: str, k: int) -> str:
        return "<ok> <yes>" if prompt.endswith("<check>") else "<s1> 3*3=9 <ans> 9"

    solved = run(scripted(reply, dialect="socrates"), "S342", Problem("p", "3*3", reference="9"))
    assert solved.answer.value == "9"
    assert [e.data["act"] for e in solved.trace.of("sampled")] == ["think", "critique"]
