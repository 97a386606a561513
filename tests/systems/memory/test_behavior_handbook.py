"""The handbook: what goes into it, what is taken out again, and what it costs."""

import asyncio

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.systems.memory.behavior_handbook import handbook

SUM = Problem("sum", "What is 37+48?", reference="85")
ANIMAL = Problem("animal", "Which animal is bek?", reference="fox")
ASKED = Problem("asked", "What is 12+30?", reference="42")


def reflecting(log: list[str]):
    def reply(prompt: str, k: int) -> str:
        log.append(prompt)
        if "general lessons" in prompt:
            return "Here they are:\n- " + ("carry: add the carry first" if "37+48" in prompt else "look up: recall the entry")
        return "1. 12+30=42\nAnswer: 42"

    return reply


def test_the_behavior_of_the_similar_question_stands_beside_the_new_one(scripted, run):
    log: list[str] = []
    solved = run(scripted(reflecting(log)), "behavior-handbook", ASKED, prepare=[SUM, ANIMAL], most=1)
    assert solved.answer.value == "42"
    assert "Notes:\n- carry: add the carry first\n" in log[-1]
    assert "look up" not in log[-1]
    assert solved.answer.cost.calls == 1


def test_the_handbook_says_where_each_behavior_comes_from_and_what_it_cost(scripted):
    async def go():
        engine, system = Engine({"main": scripted(reflecting([]))}), registry.find("behavior-handbook")
        return await engine.prepare(system, [], [SUM, ANIMAL])

    book = asyncio.run(go())
    assert [(item["source"], item["text"]) for item in book.data["items"]] == [
        ("sum", "carry: add the carry first"), ("animal", "look up: recall the entry"),
    ]  # fmt: skip
    assert book.cost.calls == 4


def test_on_control_tokens_the_handbook_holds_worked_steps(scripted):
    def reply(prompt: str, k: int) -> str:
        return "<s1> 37+48=85 <s2> 85-5=80 <ans> 80"

    async def go():
        mind = Engine({"main": scripted(reply, dialect="socrates")}).mind(SUM)
        return await handbook([Problem("p", "37+48-5")], mind)

    items = asyncio.run(go()).data["items"]
    assert [(item["text"], item["kind"]) for item in items] == [("37+48=85", "step"), ("85-5=80", "step")]


def test_without_a_fitting_behavior_it_thinks_as_ever(scripted, run):
    log: list[str] = []
    run(scripted(reflecting(log)), "behavior-handbook", Problem("p", "zebra"), prepare=[SUM], budget=Budget(calls=9))
    assert "Notes" not in log[-1]
