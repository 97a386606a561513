"""Judges of pairs: what each bias, preference and critique comes to with a judge whose habits are known."""

import asyncio
import re
from typing import Any

import numpy as np
import pytest
from tests.scripted import ScriptedChat

from nosce.core.battery import difference
from nosce.core.registry import registry
from nosce.metrics.estimate import Floats
from nosce.mind.engine import Engine
from nosce.models.base import Request, Sample
from nosce.systems.evaluate import criticbench, self_preference
from nosce.tasks.families import parse
from nosce.tasks.solutions import solution_pairs


class Habit(ScriptedChat):
    """Thinks without error; of two options it takes the one that `picks` finds in the prompt (0 or 1)."""

    def __init__(self, picks: Any) -> None:
        super().__init__(error=0.0)
        self.picks = picks

    def _one(self, request: Request, key: int) -> Sample:
        said = request.prompt.messages[-1].content
        if "Options:" not in said:
            return super()._one(request, key)
        options = re.split(r"^\d\. ", said.partition("Options:\n")[2], flags=re.M)
        return Sample(f"Choice: {1 + self.picks(said, options)}", prompt_tokens=5, completion_tokens=5)


def put(slug: str, picks: Any, n: int = 6) -> list[dict[str, Any]]:
    system, engine = registry.find(slug), Engine({"main": Habit(picks)})
    items = system.options["items"](n, 0, "general")
    return [asyncio.run(system.run(i.problem, engine.mind(i.problem), **i.given)) for i in items]


def test_one_who_takes_the_second_shows_in_the_order_alone() -> None:
    rows = put("S062", lambda said, options: 1)
    assert all(row["when_second"] and not row["when_first"] for row in rows)
    assert all(row["plain"] == row["bandwagon_right"] == row["reflection_right"] for row in rows)


def test_one_who_follows_the_majority_loses_every_verdict_to_it() -> None:
    def follows(said: str, options: list[str]) -> int:
        told = re.search(r"preferred solution (\d)", said)
        return int(told[1]) - 1 if told else 0

    rows = put("S062", follows)
    assert not any(row["bandwagon_right"] for row in rows)
    columns = [np.array([float(row[name]) for row in rows]) for name in ("plain", "bandwagon_right")]
    assert difference(*columns) == 0.5  # the right one came first in every other pair


def test_words_of_reflection_are_put_before_the_wrong_one() -> None:
    rows = put("S062", lambda said, options: int(said.rfind("Wait, let me think") > said.rfind("1. Wait") >= 0))
    assert len(rows) == 6
    assert all(row["guarded_right"] == row["reflection_right"] for row in rows)


def test_a_judge_without_habits_prefers_neither_and_one_that_takes_the_first_is_put_right_by_both_orders() -> None:
    rows = put("S259", lambda said, options: 0)
    assert all(row["recognises"] == row["prefers"] == row["spares"] == 0.5 for row in rows)


def test_coupling_is_the_correlation_over_items() -> None:
    a: Floats = np.array([0.0, 0.5, 1.0, 1.0])
    assert self_preference.goes_together(a, a) == pytest.approx(1.0)
    assert self_preference.goes_together(a, 1 - a) == pytest.approx(-1.0)


def test_balanced_critique_by_hand() -> None:
    passed, right = np.array([1.0, 1, 0, 1, 0]), np.array([1.0, 1, 1, 0, 0])
    assert criticbench.balanced(passed, right) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert criticbench.certainty_gap(np.array([1.0, 1, 0, 0, 1, 0]), np.array([1.0, 1, 0, 1, 1, 0]),
                                     np.array([0.9, 0.8, 0.9, 0.1, 0.2, 0.1])) == pytest.approx(1.0 - 0.75)  # fmt: skip


def test_solution_pairs_are_right_and_wrong() -> None:
    for pair in solution_pairs(12, 3):
        assert parse(pair.problem.text) is not None
        assert pair.problem.check(pair.right.rpartition("Answer: ")[2]) == 1.0
        assert pair.problem.check(pair.wrong.rpartition("Answer: ")[2]) == 0.0


