"""Calibration errors, by hand and by what must hold of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.metrics import ace, confidence_bias, ece, mce, overconfidence, smooth_ece, underconfidence

rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60)


def test_ece_by_hand():
    """Bins of width ½: {0.2, 0.4 | one right} gap −0.2, {0.9, 0.7, 0.8 | one right} gap 0.8 − 1/3."""
    c, y = [0.2, 0.4, 0.9, 0.7, 0.8], [0, 1, 1, 0, 0]
    measured = ece(c, y, bins=2)
    assert measured.value == pytest.approx((2 * 0.2 + 3 * (0.8 - 1 / 3)) / 5)
    assert measured["bins"].count.tolist() == [2, 3]
    assert measured["bins"].accuracy.tolist() == pytest.approx([0.5, 1 / 3])
    assert mce(c, y, bins=2).value == pytest.approx(0.8 - 1 / 3)
    assert mce(c, y, bins=2)["worst"] == 1
    assert overconfidence(c, y, bins=2).value == pytest.approx(3 * (0.8 - 1 / 3) / 5)
    assert underconfidence(c, y, bins=2).value == pytest.approx(2 * 0.2 / 5)


def test_stated_zero_confidence_that_is_right_is_not_lost():
    """A row at exactly 0 belongs to the first bin, and one on an edge to the bin below it."""
    assert ece([0.0, 0.0], [1, 1], bins=10).value == 1.0
    table = ece([0.1, 0.3, 0.7, 1.0], [0, 0, 1, 1], bins=10)["bins"]
    assert table.high.tolist() == pytest.approx([0.1, 0.3, 0.7, 1.0])


def test_ace_makes_bins_of_equal_mass_and_keeps_ties_together():
    measured = ace([0.1, 0.2, 0.3, 0.9, 0.9, 0.9], [0, 0, 1, 1, 1, 0], bins=2)
    assert measured["bins"].count.tolist() == [3, 3]
    assert measured["bins"].low.tolist() == [0.1, 0.9]
    assert measured.value == pytest.approx((abs(0.2 - 1 / 3) + abs(0.9 - 2 / 3)) / 2)


def test_mce_can_ask_for_filled_bins():
    c, y = [0.05, 0.95, 0.95, 0.95], [1, 1, 1, 1]
    assert mce(c, y, bins=10).value == pytest.approx(0.95)
    assert mce(c, y, bins=10, least=2).value == pytest.approx(0.05)
    with pytest.raises(InputError, match="no bin holds 9"):
        mce(c, y, least=9)


@given(rows, st.integers(1, 20))
def test_what_must_hold(pairs, bins):
    c, y = (np.array(v) for v in zip(*pairs, strict=True))
    whole, over, under = ece(c, y, bins=bins).value, overconfidence(c, y, bins=bins), underconfidence(c, y, bins=bins)
    bias = confidence_bias(c, y).value
    assert over.value + under.value == pytest.approx(whole, abs=1e-9)
    assert over.value - under.value == pytest.approx(bias, abs=1e-9)
    assert abs(bias) - 1e-9 <= whole <= mce(c, y, bins=bins).value + 1e-9
    assert ece(c, y, bins=1).value == pytest.approx(abs(bias), abs=1e-9)


@given(st.floats(0.05, 0.95), st.integers(0, 20))
def test_smooth_ece_of_one_constant_is_its_distance_from_accuracy(p, right):
    y = np.arange(20) < right
    found = smooth_ece(np.full(20, p), y).value
    assert found == pytest.approx(abs(p - right / 20), abs=2e-3)


def test_smooth_ece_moves_smoothly_where_bins_jump():
    """Half say just under ½ and are right, half just over and are wrong: bins call it 0.5, or 0 once they meet."""
    y = np.array([1, 0] * 50)
    apart, together = np.array([0.4999, 0.5001] * 50), np.full(100, 0.5)
    assert ece(apart, y, bins=2).value == pytest.approx(0.5, abs=1e-3)
    assert ece(together, y, bins=2).value == pytest.approx(0.0, abs=1e-3)
    assert abs(smooth_ece(apart, y).value - smooth_ece(together, y).value) < 0.02


def test_calibrated_rows_have_little_error():
    rng = np.random.default_rng(0)
    c = rng.random(50_000)
    y = rng.random(50_000) < c
    assert ece(c, y).value < 0.01
    assert ace(c, y).value < 0.01
    assert smooth_ece(c, y).value < 0.01
    low, high = confidence_bias(c, y).interval
    assert low < 0 < high
