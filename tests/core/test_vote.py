"""Plurality, by hand."""

from hypothesis import given
from hypothesis import strategies as st

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.vote import tally

NUMBER = Problem("p", "?", equivalence=Equivalence("number"))


def test_the_same_number_in_other_words_is_one_bloc_named_by_the_first() -> None:
    blocs = tally(NUMBER, ["0.5", "7", None, "1/2", "50%"])
    assert [(bloc.value, bloc.weight, bloc.members) for bloc in blocs] == [("0.5", 3.0, (0, 3, 4)), ("7", 1.0, (1,))]


def test_ties_go_to_the_bloc_drawn_first_and_weights_decide() -> None:
    assert [bloc.value for bloc in tally(NUMBER, ["3", "4", "4", "3"])] == ["3", "4"]
    assert tally(NUMBER, ["3", "4"], [0.2, 0.7])[0].value == "4"
    assert tally(NUMBER, [None, None]) == []


@given(st.lists(st.none() | st.sampled_from(["1", "2", "3.0", "3", "x"]), max_size=20))
def test_every_answer_is_in_exactly_one_bloc(answers: list[str | None]) -> None:
    members = sorted(i for bloc in tally(NUMBER, answers) for i in bloc.members)
    assert members == [i for i, answer in enumerate(answers) if answer is not None]
