"""Budgets hold exactly on a local model."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.cost import Budget, Cost
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.mind.engine import Engine
from nosce.mind.meter import Meter
from nosce.models.base import Capabilities, Sample
from nosce.models.replay import ReplayModel


def test_a_budget_is_read_as_people_write_it() -> None:
    assert Budget.parse("2000") == Budget(tokens=2000)
    assert Budget.parse("calls=3, seconds=1.5") == Budget(calls=3, seconds=1.5)
    for wrong in ("", "token=5", "tokens=x", "tokens=-1", "tokens=0", "tokens=inf"):
        with pytest.raises(InputError):
            Budget.parse(wrong)


def test_what_fits_is_the_worst_case_and_the_last_sample_is_cut_to_what_is_left() -> None:
    meter = Meter(Budget(tokens=100))
    assert meter.fits(prompt_tokens=10, max_tokens=40, n=5) == (2, 40)
    meter.settle(Cost(), Cost(prompt_tokens=10, completion_tokens=60))
    assert meter.fits(10, 40, 5) == (1, 20)
    meter.settle(Cost(), Cost(prompt_tokens=10, completion_tokens=20))
    assert meter.fits(10, 40, 5) == (0, 0)


def test_a_run_budget_binds_every_problem() -> None:
    run = Meter(Budget(calls=1))
    first, second = Meter(parent=run), Meter(parent=run)
    first.hold(Cost(calls=1))
    assert second.fits(1, 1, 1) == (0, 0)
    first.settle(Cost(calls=1), Cost())
    assert second.fits(1, 1, 1) == (1, 1)


def answers_of_length(length: int) -> ReplayModel:
    """A local model whose every sample says 7 and has `length` tokens, or as many as are allowed."""

    class Model(ReplayModel):
        async def sample(self, request):  # type: ignore[no-untyped-def]
            size = min(length, request.max_tokens)
            return [Sample("Answer: 7", prompt_tokens=12, completion_tokens=size) for _ in request.keys]

        def count(self, prompt):  # type: ignore[no-untyped-def]
            return 12

    return Model({}, capabilities=Capabilities(n=True), context=4096)


@settings(max_examples=40, deadline=None)
@given(tokens=st.integers(1, 4000), length=st.integers(1, 200), slug=st.sampled_from(["self-consistency", "adaptive-consistency"]))
def test_no_strategy_can_spend_more_than_its_budget(tokens: int, length: int, slug: str) -> None:
    engine = Engine({"main": answers_of_length(length)}, Budget(tokens=tokens))
    solved = asyncio.run(engine.solve(Problem("p", "2+5", reference="7"), registry.find(slug)))
    assert solved.answer.cost.tokens <= tokens
    if tokens > 12:
        assert solved.answer.value == "7"
    else:
        assert solved.answer.outcome == "abstained"
        assert "budget" in solved.answer.reason


def test_a_model_that_draws_one_at_a_time_pays_for_the_prompt_each_time() -> None:
    assert Meter(Budget(tokens=100)).fits(10, 40, 5, separate=True) == (2, 40)
    assert Meter(Budget(tokens=99)).fits(10, 40, 5, separate=True) == (1, 40)
    assert Meter(Budget(tokens=45)).fits(10, 40, 5, separate=True) == (1, 35)
    assert Meter(Budget(calls=3)).fits(10, 40, 5, separate=True) == (3, 40)
    assert Meter(Budget(calls=3)).fits(10, 40, 5) == (5, 40)
