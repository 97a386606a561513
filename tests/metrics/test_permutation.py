"""Permutation tests: exact on few rows, and honest under the null."""

import numpy as np
import pytest
from scipy import stats

from nosce.metrics import paired_permutation_test, permutation_test


def test_few_pairs_are_counted_exactly():
    """Differences 1, 2, 3: of eight sign patterns only all-plus and all-minus reach 6."""
    found = paired_permutation_test([2, 4, 6], [1, 2, 3])
    assert (found.p_value, found.exact, found.value) == (0.25, True, 2.0)


def test_exact_agrees_with_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.4, 1, 11), rng.normal(0, 1, 11)
    oracle = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(x - y, axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    assert paired_permutation_test(a, b).p_value == pytest.approx(oracle.pvalue)


def test_sampled_swaps_come_near_the_exact_ones():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.5, 1, 12), rng.normal(0, 1, 12)
    exact, sampled = paired_permutation_test(a, b), paired_permutation_test(a, b, resamples=4000)
    assert exact.exact
    assert not sampled.exact
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.03)


def test_clusters_swap_together():
    """Two clusters of equal differences: two signs, four patterns, two of them as extreme."""
    found = paired_permutation_test([1.0] * 6, [0.0] * 6, clusters=[0, 0, 0, 1, 1, 1])
    assert found.p_value == 0.5


def test_the_null_is_rejected_as_often_as_said():
    rng = np.random.default_rng(2)
    hits = sum(permutation_test(rng.random(15), rng.random(20), resamples=199, seed=i).p_value <= 0.05 for i in range(400))
    assert stats.binomtest(hits, 400, 0.05, alternative="greater").pvalue > 0.01


def test_a_real_difference_of_two_samples_is_found():
    rng = np.random.default_rng(3)
    assert permutation_test(rng.normal(1, 1, 60), rng.normal(0, 1, 60), resamples=999).p_value <= 0.002
