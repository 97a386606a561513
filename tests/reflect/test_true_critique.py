"""What one who holds the solution says of an attempt."""

import pytest
from tests.scripted import ScriptedChat

from nosce.core.attempt import Attempt
from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Critique
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.reflect.true_critique import true_critique

SUM = Problem("s", "37+48-12", reference="73", equivalence=Equivalence("number"))


def mind() -> Mind:
    return Engine({"main": ScriptedChat()}).mind(SUM)


def told(text: str, answer: str) -> Critique:
    return true_critique(SUM, mind(), Attempt("a", text, answer))


def test_the_first_wrong_step_and_what_should_stand_there() -> None:
    assert told("1. 37+48=75\n2. 75-12=63\nAnswer: 63", "63") == Critique(1, "Step 1 should read: 37+48=85")
    assert told("1. 37+48=85\n2. 85-12=72\nAnswer: 72", "72") == Critique(2, "Step 2 should read: 85-12=73")


def test_an_answer_that_does_not_follow() -> None:
    found = told("1. 37+48=85\n2. 85-12=73\nAnswer: 37", "37")
    assert (found.step, found.conclusion) == (None, True)


def test_a_right_answer_has_no_fault() -> None:
    assert not told("1. 37+48=85\n2. 85-12=73\nAnswer: 73", "73").fault


def test_what_has_no_worked_solution_is_refused() -> None:
    with pytest.raises(InputError, match="no worked solution"):
        true_critique(Problem("x", "Who wrote it?", reference="a"), mind(), Attempt("a", "", "b"))
