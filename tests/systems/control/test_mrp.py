"""MRP: the pick and what it leads to."""

import pytest

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.systems.control.mrp import by_foresight

ASKED = Problem("p", "6*7", reference="42")
NAMES = ("direct", "think", "self-consistency")


def choosing(name: str):
    def reply(prompt: str, _: int) -> str:
        return f"Method: {name}" if "Which of these methods" in prompt else "Answer: 42"

    return reply


@pytest.mark.parametrize(("picked", "acts"), [("direct", ["direct"]), ("think", ["think"]), ("self-consistency", ["think"] * 16),
                                              ("tree of thoughts", ["think"])])  # fmt: skip
def test_runs_the_method_that_was_named_and_think_when_none_is(scripted, run, picked, acts):
    solved = run(scripted(choosing(picked)), "mrp", ASKED)
    assert [e.data["act"] for e in solved.trace.of("sampled")] == ["choose", *acts]
    assert solved.answer.value == "42"
    assert solved.answer.cost.completion_tokens == sum(e.data["sample"]["completion_tokens"] for e in solved.trace.of("sampled"))


@pytest.mark.parametrize(("solve", "name"), [(0.95, "direct"), (0.9, "direct"), (0.7, "think"), (0.1, "self-consistency")])
def test_foresight_picks_the_cheapest_that_will_do(solve, name):
    assert by_foresight(solve, NAMES, (0.9, 0.6)) == name


def test_bad_methods_and_thresholds_are_refused(scripted, run):
    with pytest.raises(InputError, match="2 falling thresholds"):
        by_foresight(0.5, NAMES, (0.6, 0.9))
    refused = run(scripted(choosing("dsc")), "mrp", ASKED, methods=("think", "dsc")).answer
    assert (refused.outcome, refused.cost.tokens) == ("failed", 0)


def test_bundled_dialect_picks_by_foresight(organism, run):
    solved = run(organism, "mrp", Problem("q", "37+48-12", reference="73"), thresholds=(0.0, 0.0))
    assert [e.data["act"] for e in solved.trace.of("sampled")] == ["foresee", "direct"]
