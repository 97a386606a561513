"""Budgets that grow, a trigger at each, and a vote at the end."""

import pytest

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.models.base import Sample
from nosce.systems.control.iterative_deepening import TRIGGER

ASKED = Problem("p", "37+48-12", reference="73")


def piece(text: str, finish: str = "stop") -> Sample:
    return Sample(text, finish=finish, prompt_tokens=5, completion_tokens=len(text.split()))


def test_the_trigger_comes_at_every_depth_whether_the_thought_had_ended_or_not(scripted, run):
    seen: list[str] = []

    def reply(prompt: str, k: int) -> Sample:
        so_far = prompt.partition("[prefix] ")[2]
        seen.append(so_far)
        if not so_far:
            return piece("1. 37+48=86", "length")
        return piece("2. 86-12=74\nAnswer: 74") if so_far.count(TRIGGER) == 1 else piece("1 should be 85.\nAnswer: 73")

    got = run(scripted(reply), "iterative-deepening-sampling", ASKED, paths=1, depths=2).answer
    assert seen[1] == "1. 37+48=86" + TRIGGER
    assert seen[2] == seen[1] + "2. 86-12=74\nAnswer: 74" + TRIGGER
    assert (got.value, got.confidence) == ("73", 1.0)


def test_the_budget_grows_by_gamma():
    import asyncio

    from tests.scripted import CONTINUES, ScriptedChat

    from nosce.core.registry import registry
    from nosce.mind.engine import Engine

    class Noting(ScriptedChat):
        async def sample(self, request):
            asked.append(request.max_tokens)
            return await super().sample(request)

    asked: list[int] = []
    engine = Engine({"main": Noting(CONTINUES)})
    asyncio.run(engine.solve(ASKED, registry.find("S069"), {"paths": 1, "depths": 3, "first": 10, "growth": 3.0}))
    assert asked[:4] == [10, 30, 90, 270]


def test_a_thought_without_an_answer_is_made_to_conclude(scripted, run):
    replies = iter([piece("1. so", "length"), piece("2. and so", "length"), piece(" 73")])
    got = run(scripted(lambda prompt, k: next(replies)), "iterative-deepening-sampling", ASKED, paths=1, depths=1).answer
    assert got.value == "73"


@pytest.mark.parametrize(("depths", "answer", "checks"), [(1, "74", 2), (2, "73", 4), (9, "73", 6)])
def test_on_control_tokens_each_depth_is_one_correction_until_no_fault_is_found(scripted, run, depths, answer, checks):
    """Two thoughts alike: 8 is revised to 74, 74 to 73, and 73 stands."""
    log: list[str] = []

    def reply(prompt: str, k: int) -> str:
        if prompt.endswith("<check>"):
            log.append(prompt)
            return "<ok> <yes>" if "<ans> 73 <check>" in prompt else "<bad> <no> <fault> <s1>"
        if "<revise>" in prompt:
            return "<s1> 37+48=86 <s2> 86-12=74 <ans> 74" if "<ans> 8 " in prompt else "<s1> 37+48=85 <s2> 85-12=73 <ans> 73"
        return "<s1> 3+5=8 <ans> 8"

    got = run(scripted(reply, dialect="socrates"), "iterative-deepening-sampling", ASKED, paths=2, depths=depths).answer
    assert (got.value, len(log)) == (answer, checks)


def test_a_cut_keeps_the_vote_so_far(scripted, run):
    def reply(prompt: str, k: int) -> Sample:
        return piece("1. so\nAnswer: 74") if "[prefix]" not in prompt else piece("no.\nAnswer: 73")

    got = run(scripted(reply), "iterative-deepening-sampling", ASKED, paths=2, depths=4, budget=Budget(calls=2)).answer
    assert got.value == "74"
