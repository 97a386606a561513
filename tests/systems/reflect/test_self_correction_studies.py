"""What self-correction does on its own: the arms worked by hand, and who is told what."""

import asyncio

import numpy as np
import pytest

from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.reflect.intrinsic_self_correction import lead

ASKED = Problem("p", "How many?", reference="9")


def put(id: str, model, problem: Problem = ASKED, **given):
    system = registry.find(id)
    return asyncio.run(system.run(problem, Engine({"main": model}).mind(problem), **given))


def corrector(thoughts: str, faulted: str, revised: str):
    """Thoughts in order; answers in `faulted` are found at fault; revisions in order."""
    again = iter(revised)

    def reply(prompt: str, k: int) -> str:
        if "Check the steps in order" in prompt:
            shown = prompt.rpartition("Proposed answer: ")[2][0]
            return f"First wrong step: {1 if shown in faulted else 'none'}"
        return f"1. so\nAnswer: {next(again) if 'A reviewer says' in prompt else thoughts[k]}"

    return reply


@pytest.mark.parametrize(
    ("thoughts", "faulted", "revised", "first", "once", "after", "oracle", "voted", "calls"),
    [
        ("99777", "", "", True, True, True, True, True, 2),  # no fault found: the first answer stands after one more call
        ("97777", "9", "7", True, False, False, True, False, 4),  # right, talked out of it; then content with the wrong one
        ("79999", "7", "9", False, True, True, True, True, 4),  # mended; the vote over four says the same
        ("77999", "78", "89", False, False, True, True, True, 5),  # two rounds: 7, 8, 9; the vote over all five
        ("97777", "98", "89", True, False, True, True, False, 5),  # right, wrong, right again
        ("77797", "7", "77", False, False, False, False, False, 5),  # a fault it cannot mend
    ],
)  # fmt: skip
def test_rounds_votes_and_the_oracle_by_hand(scripted, thoughts, faulted, revised, first, once, after, oracle, voted, calls):
    row = put("S273", scripted(corrector(thoughts, faulted, revised)))
    assert (row["first"], row["after_once"], row["after"], row["oracle"], row["voted"]) == (first, once, after, oracle, voted)
    assert row["calls"] == calls


def test_a_correction_that_cannot_be_read_leaves_the_answer(scripted):
    row = put("S273", scripted(corrector("99999", "9", "  ")))
    assert (row["answers"], row["after"]) == (["9", "9", "9"], True)


def test_nobody_tells_it_anything_but_what_it_found_itself(scripted):
    seen: list[str] = []
    inner = corrector("79999", "7", "9")

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return inner(prompt, k)

    put("S273", scripted(reply))
    assert not any(ASKED.reference in prompt.replace("Proposed answer: 9", "").replace("Answer: 9", "") for prompt in seen)


def test_the_four_looks_differ_in_wording_and_temperature_alone(scripted):
    """Fair keeps 7, biased goes to 9: the row says which look was right."""
    seen: list[str] = []

    def reply(prompt: str, k: int) -> str:
        seen.append(prompt)
        return "1. so\nAnswer: " + ("9" if "may well be wrong" in prompt else "7")

    row = put("S250", scripted(reply))
    assert [row[arm] for arm in ("first", "fair_cold", "fair_warm", "biased_cold", "biased_warm")] == [False] * 3 + [True] * 2
    looks = [prompt for prompt in seen if "Proposed solution" in prompt]
    assert ["may well be wrong" in look for look in looks] == [False, False, True, True]
    assert ["decide what the answer is" in look for look in looks] == [True, True, False, False]
    assert not any(word in look.lower() for look in looks[:2] for word in ("wrong", "mistake", "corrected", "error"))


def test_the_temperatures_reach_the_model(scripted):
    from tests.scripted import ScriptedChat

    class Noting(ScriptedChat):
        asked: list[float]

        async def sample(self, request):
            self.asked = [*getattr(self, "asked", []), request.temperature]
            return await super().sample(request)

    model = Noting()
    put("S250", model, Problem("q", "3+4", reference="7"))
    assert model.asked == [0.0, 0.0, 1.0, 0.0, 1.0]


def test_the_lead_is_the_smaller_of_two():
    fair, biased, first = np.array([1.0, 1, 1, 0]), np.array([1.0, 0, 0, 0]), np.array([1.0, 1, 0, 0])
    assert lead(fair, biased, first) == pytest.approx(0.25)
    assert lead(first, biased, fair) == pytest.approx(-0.25)


def test_on_control_tokens_only_what_the_check_doubts_is_revised_when_asked_fairly(scripted):
    def reply(prompt: str, k: int) -> str:
        if prompt.endswith("<check>"):
            return "<ans> 9 <ok> <yes>"
        return "<s1> 3*3=8 <ans> 8" if "<revise>" in prompt else "<s1> 3*3=9 <ans> 9"

    row = put("S250", scripted(reply, dialect="socrates"), Problem("p", "3*3", reference="9"))
    assert (row["first"], row["fair_cold"], row["fair_warm"]) == (True, True, True)
    assert (row["biased_cold"], row["biased_warm"]) == (False, False)
