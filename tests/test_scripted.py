"""The scripted chat model is worth testing with: it solves, slips, notices and repairs at the rates it is given."""

import asyncio

import pytest
from tests.scripted import BLACK_BOX, CONTINUES, LOGPROBS, ScriptedChat

from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.tasks.bundled import draw_problems

PROBLEMS = draw_problems(("arithmetic", "sums", "lists", "logic", "countdown"), (1, 2, 3), 60)


def each(error: float, capabilities, work):
    engine = Engine({"main": ScriptedChat(capabilities, error=error)})

    async def go():
        return await asyncio.gather(*(work(engine.mind(problem), problem) for problem in PROBLEMS))

    return asyncio.run(go())


def share(values) -> float:
    return sum(values) / len(values)


async def solved(mind: Mind, problem: Problem) -> float:
    return problem.check((await mind.think(problem))[0].answer)


@pytest.mark.parametrize(("error", "low", "high"), [(0.0, 1, 1), (0.3, 0.55, 0.85), (1.0, 0, 0.25)])
def test_it_errs_as_often_as_it_is_told_though_some_slips_do_no_harm(error, low, high):
    assert low <= share(each(error, BLACK_BOX, solved)) <= high


def test_it_goes_on_from_half_a_thought():
    async def work(mind: Mind, problem: Problem) -> float:
        thought = (await mind.think(problem))[0]
        return problem.check((await mind.extend(problem, thought.text.partition("\n")[0]))[0].answer)

    assert share(each(0.0, CONTINUES, work)) > 0.9


@pytest.mark.parametrize("capabilities", [BLACK_BOX, LOGPROBS])
def test_it_believes_more_in_what_is_right(capabilities):
    async def work(mind: Mind, problem: Problem) -> tuple[float, float]:
        thought = (await mind.think(problem))[0]
        return problem.check(thought.answer), (await mind.verify(problem, thought)).value or 0.0

    found = each(0.4, capabilities, work)
    assert share([v for right, v in found if right]) > share([v for right, v in found if not right]) + 0.1


def test_a_critique_and_a_revision_repair_more_than_they_spoil():
    async def work(mind: Mind, problem: Problem) -> tuple[float, float]:
        thought = (await mind.think(problem))[0]
        found = await mind.critique(problem, thought)
        again = (await mind.revise(problem, thought, found))[0] if found.fault else thought
        return problem.check(thought.answer), problem.check(again.answer)

    found = each(0.3, BLACK_BOX, work)
    assert share([after for _, after in found]) > share([before for before, _ in found])
