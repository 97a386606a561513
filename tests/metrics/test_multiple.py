"""Holm and Benjamini–Hochberg: by hand, against scipy, and in what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nosce.core.errors import InputError
from nosce.metrics import benjamini_hochberg, holm


def test_by_hand():
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p).adjusted.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(p).rejected.tolist() == [True, False, False, True]
    assert benjamini_hochberg(p).adjusted.tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg(p).rejected.all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_scipy_agrees_and_holm_is_the_stricter(p):
    adjusted = benjamini_hochberg(p).adjusted
    assert adjusted == pytest.approx(stats.false_discovery_control(p))
    assert np.all(holm(p).adjusted >= adjusted - 1e-12)
    assert np.all(holm(p).adjusted >= np.asarray(p) - 1e-12)


def test_holm_keeps_the_chance_of_any_false_rejection():
    rng = np.random.default_rng(0)
    false = sum(holm(rng.random(20)).rejected.any() for _ in range(2000))
    assert stats.binomtest(false, 2000, 0.05, alternative="greater").pvalue > 0.01


def test_p_values_lie_in_the_unit_interval():
    with pytest.raises(InputError, match=r"p_values: row 0 is 1\.2"):
        holm([1.2])
