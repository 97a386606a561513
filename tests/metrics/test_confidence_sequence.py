"""Confidence sequences hold at every moment at once, which ordinary intervals do not."""

import numpy as np
import pytest
from scipy import stats

from nosce.core.errors import InputError
from nosce.metrics import confidence_sequence, wilson


@pytest.mark.parametrize("rule", ["betting", "empirical-bernstein", "hoeffding"])
def test_the_truth_is_never_left_by_more_than_the_level_allows(rule):
    rng, left = np.random.default_rng(0), 0
    for _ in range(300):
        found = confidence_sequence(rng.random(400) < 0.2, rule=rule)
        left += bool((found.low > 0.2).any() or (found.high < 0.2).any())
    assert stats.binomtest(left, 300, 0.05, alternative="greater").pvalue > 0.01


def test_an_ordinary_interval_looked_at_after_every_row_does_leave_it():
    rng, left = np.random.default_rng(0), 0
    for _ in range(300):
        hits = np.cumsum(rng.random(400) < 0.2)
        looks = [wilson(int(hits[t - 1]), t) for t in range(20, 401, 5)]
        left += any(low > 0.2 or high < 0.2 for low, high in looks)
    assert left / 300 > 0.15


def test_it_only_narrows_and_betting_is_narrowest_when_rows_hardly_vary():
    rows = np.random.default_rng(1).beta(20, 60, 500)
    width = {}
    for rule in ("betting", "empirical-bernstein", "hoeffding"):
        found = confidence_sequence(rows, rule=rule)
        assert np.all(np.diff(found.low) >= 0)
        assert np.all(np.diff(found.high) <= 0)
        width[rule] = found.interval[1] - found.interval[0]
    assert width["betting"] < width["empirical-bernstein"] < width["hoeffding"]


def test_hoeffdings_first_step_by_hand():
    """t = 1: λ = min(√(8 ln 40 / ln 2), 1) = 1, reach ln 40 + 1/8 > 1: the first row says nothing."""
    found = confidence_sequence([0.3], rule="hoeffding")
    assert found.interval == (0.0, 1.0)
    assert found.value == 0.3


def test_rows_outside_the_unit_interval_and_unknown_rules_are_refused():
    with pytest.raises(InputError, match="outside"):
        confidence_sequence([0.5, 2.0])
    with pytest.raises(InputError, match="rule"):
        confidence_sequence([0.5], rule="guess")
