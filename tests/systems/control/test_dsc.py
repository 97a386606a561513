"""DSC: the ranking, where the questions get easy, and how many votes the rest needs."""

import asyncio

import pytest

from nosce.control.difficulty import average_places, difficulties, read_order
from nosce.core.problem import Problem
from nosce.mind.engine import Engine
from nosce.systems.control.dsc import need, posterior, rank

QUESTIONS = [Problem(f"q{i}", f"question {i}!") for i in range(8)]


def by_number(prompt: str, k: int) -> str:
    """Orders questions by their number; answers agree below question 6, and are scattered from there on."""
    if "Order the questions" in prompt:
        listed = [int(line.split()[2][:-1]) for line in prompt.splitlines() if "question" in line and line[0].isdigit()]
        return "Order: " + ", ".join(str(listed.index(number) + 1) for number in sorted(listed))
    number = next(i for i in range(8) if f"question {i}!" in prompt)
    return f"Answer: {number if number < 6 else 'abcdefgh'[k % 8]}"


@pytest.mark.parametrize(
    ("text", "order"), [("Order: 3, 1, 2", [2, 0, 1]), ("2,2,9", []), ("Order: 2, 1", [1, 2, 0]), ("no idea", [])]
)
def test_order_is_read_from_a_reply(text, order):
    assert read_order(text, 3) == order


def test_places_are_averaged_and_unranked_questions_stand_in_the_middle():
    assert average_places([{"a": 0.0, "b": 1.0}, {"a": 0.5}], ["a", "b", "c"]) == {"a": 0.25, "b": 1.0, "c": 0.5}


def test_one_batch_of_all_gives_the_exact_ranking(scripted):
    mind = Engine({"main": scripted(by_number)}).mind(Problem("prepare", ""))
    found = asyncio.run(difficulties(QUESTIONS, mind, batch=8, rounds=2))
    assert found == {f"q{i}": pytest.approx(i / 7) for i in range(8)}


@pytest.mark.parametrize(("votes", "expected"), [([4], 4), ([3, 1], 12), ([2, 2], 40), ([2, 1, 1], 36), ([], 40)])
def test_need_of_a_lead(votes, expected):
    """P(p>½): (4,0) → 1 − ½⁵ = .969; (3,1) → .8125, (6,2) → .910, (9,3) → .954; (16,8) → .946, (18,9) → .957."""
    assert need(votes, 4, 0.95, 40) == expected


def test_posterior_in_closed_form():
    assert posterior([4]) == pytest.approx(1 - 0.5**5)
    assert posterior([]) == 0


def plan_of(model, **options):
    mind = Engine({"main": model}).mind(Problem("prepare", ""))
    return asyncio.run(rank(QUESTIONS, mind, **options)).data


def test_walk_from_the_hardest_stops_at_a_run_that_agrees(scripted):
    """q7 and q6 scatter; q5 and q4 agree: with run = 2 nothing below them is sampled."""
    hard = plan_of(scripted(by_number), run=2)["hard"]
    assert list(hard) == ["q4", "q5", "q6", "q7"]
    assert [plan["first"] for plan in hard.values()] == [4, 4, 4, 16]  # q7: mean need (4 + 4 + 40) / 3
    assert hard["q7"]["votes"] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("question", "drawn"), [(0, 1), (5, 0), (7, 36)])
def test_votes_by_rank(scripted, run, question, drawn):
    """Easy: one vote. Settled by its pre-samples: none more. Scattered: up to 40, pre-samples included."""
    solved = run(scripted(by_number), "dsc", QUESTIONS[question], prepare=QUESTIONS, run=2)
    assert sum(event.data["act"] == "think" for event in solved.trace.of("sampled")) == drawn


def test_bundled_dialect_ranks_by_foresight(organism):
    mind = Engine({"main": organism}).mind(Problem("prepare", ""))
    found = asyncio.run(difficulties([Problem("a", "37+48-12"), Problem("b", "1+1")], mind))
    assert all(0 <= value <= 1 for value in found.values())
