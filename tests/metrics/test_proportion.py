"""Shares and their intervals, against the textbook and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nosce.metrics import (
    accuracy,
    binomial_lower_tail,
    binomial_upper_tail,
    clopper_pearson,
    difference_of_proportions,
    wilson,
)


def test_no_error_in_59_rows_is_the_rule_behind_five_percent():
    assert clopper_pearson(59, 59, level=0.90)[0] == pytest.approx(0.05 ** (1 / 59))
    assert clopper_pearson(0, 10)[0] == 0.0
    assert clopper_pearson(10, 10)[1] == 1.0


@given(st.integers(1, 300), st.data())
def test_intervals_agree_with_scipy(n, data):
    k = data.draw(st.integers(0, n))
    exact = stats.binomtest(k, n).proportion_ci(method="exact")
    score = stats.binomtest(k, n).proportion_ci(method="wilson")
    assert clopper_pearson(k, n) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert wilson(k, n) == pytest.approx((score.low, score.high), abs=1e-9)
    assert binomial_upper_tail(k, n, 0.3) == pytest.approx(stats.binom.sf(k - 1, n, 0.3), abs=1e-12)
    assert binomial_lower_tail(k, n, 0.3) == pytest.approx(stats.binom.cdf(k, n, 0.3), abs=1e-12)


def test_accuracy_is_the_share_of_right_rows():
    measured = accuracy([1, 1, 1, 0])
    assert measured.value == 0.75
    assert measured.interval == pytest.approx((0.1941, 0.9937), abs=1e-4)
    assert accuracy(np.array([True, True, False, False]), exact=False).value == 0.5


def test_difference_of_two_proportions_is_newcombes_worked_example():
    """56/70 − 48/80: 0.2, interval 0.0524 to 0.3339 (method 10 without continuity correction)."""
    gap = difference_of_proportions((56, 70), (48, 80))
    assert gap.value == pytest.approx(0.2)
    assert gap.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)
