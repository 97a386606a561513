"""A lexicon whose words come to mean what was measured when they were used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.monitor.hedges import LADDER, Lexicon


def test_the_nearest_word_is_said_and_heard():
    lexicon = Lexicon()
    said = {0.0: "doubtful", 0.3: "perhaps", 0.52: "even", 0.7: "likely", 0.9: "very likely", 1.0: "plain"}
    for certainty, name in said.items():
        hedge = lexicon.nearest(certainty)
        assert hedge.name == name
        assert lexicon.expressed(hedge.say("42")) == hedge.meaning
    assert lexicon.nearest(1.0).say("42") == "The answer is 42."
    assert lexicon.expressed("Perhaps. It is very likely that the answer is 42.") == pytest.approx(0.325)


def test_a_word_is_worth_what_was_measured_shrunk_by_one_row():
    """Nine rows at 0.7 take "likely" (0.675) and were measured at 0.8: (9 · 0.8 + 0.675) / 10; the words that nobody used stay."""
    found = Lexicon().fit([0.7] * 9, [0.8] * 9)
    worth = {hedge.name: hedge.meaning for hedge in found.hedges}
    assert worth["likely"] == pytest.approx((9 * 0.8 + 0.675) / 10)
    assert worth["even"] == 0.5
    assert worth["very likely"] == 0.875


def test_a_plain_statement_that_held_four_times_in_five_is_worth_no_more():
    """No hedge can be worth more than the plain statement, so those that were customarily above 0.8 come down with it."""
    found = Lexicon().fit([0.99] * 500, [0.8] * 500)
    assert found.expressed("The answer is 4.") == pytest.approx(0.8, abs=0.002)
    assert found.nearest(0.99).meaning == pytest.approx(0.8, abs=0.002)
    assert found.meanings.max() == pytest.approx(0.8, abs=0.002)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_fitting_never_widens_the_squared_gap(certainty):
    rows = np.repeat(certainty, 50)  # so that the one row of custom weighs little
    gaps = [np.mean([(lexicon.nearest(c).meaning - c) ** 2 for c in rows]) for lexicon in (Lexicon(), Lexicon().fit(rows, rows))]
    assert gaps[1] <= gaps[0] + 1e-3


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_whatever_is_measured_the_ladder_rises_within_zero_and_one(rows):
    meanings = Lexicon().fit(*zip(*rows, strict=True)).meanings
    assert np.all(np.diff(meanings) >= -1e-12)
    assert np.all((meanings >= 0) & (meanings <= 1))


def test_it_is_kept_as_its_meanings():
    fitted = Lexicon().fit([0.2, 0.7, 1.0], [0.1, 0.9, 0.95])
    assert Lexicon.of(fitted.data()) == fitted
    with pytest.raises(InputError, match=f"{len(LADDER)} meanings"):
        Lexicon.of([0.5])
