"""A strategy answers as ever, and another signal says how sure to be."""

import asyncio
from dataclasses import replace

from tests.evidence.test_run import made, problems

from nosce.core.cost import Budget
from nosce.evidence.plan import Plan
from nosce.evidence.run import solve
from nosce.evidence.signalled import with_signal


def plans(signal: str = "mean-token-probability", **more: object) -> tuple[Plan, Plan]:
    """Voting with its own confidence, and with the mean token probability of an attempt that says the answer given."""
    plain = replace(made(risk=None), problems=problems(0, 40), calibration=(), **more)  # type: ignore[arg-type]
    return plain, replace(plain, system=with_signal(plain.system, signal), signal=signal)


def test_the_answers_stay_and_the_confidence_is_the_signals() -> None:
    plain, other = (asyncio.run(solve(plan)) for plan in plans())
    assert [row.answer for row in other.rows] == [row.answer for row in plain.rows]
    assert {row.source for row in other.rows} == {"logprobs"}
    assert {row.source for row in plain.rows} == {"samples"}
    assert other.summary.cost.calls == plain.summary.cost.calls
    assert other.plan.about().signal == "mean-token-probability"
    assert other.plan.identity() != plain.plan.identity()


def test_what_is_cut_before_the_signal_has_no_confidence_of_another_kind() -> None:
    """One call is the vote; P(True) would be the second."""
    _, other = plans("p-true", budget=Budget(calls=1))
    run = asyncio.run(solve(other))
    assert all(row.answer == "1" or row.answer == "0" for row in run.rows)
    assert {row.confidence for row in run.rows} == {None}
