"""d′ and meta-d′ against closed forms, an independent tool's frozen values, and simulated raters."""

import time

import numpy as np
import pytest
from scipy import stats

from nosce.core.errors import InputError
from nosce.metrics import d_prime, meta_d, rating_counts

S1, S2 = [52, 32, 35, 37, 26, 12, 4, 2], [2, 5, 15, 22, 33, 38, 40, 45]


def rater(d, noise, n, rng, cuts=(0.4, 0.9, 1.5)):
    """Trials of an equal-variance observer whose ratings see the evidence through further noise."""
    stimulus = rng.integers(0, 2, n)
    evidence = rng.normal((stimulus - 0.5) * d, 1)
    said = evidence > 0
    rated = 1 + np.searchsorted(cuts, np.where(said, 1, -1) * (evidence + rng.normal(0, noise, n) if noise else evidence))
    return rating_counts(stimulus, said, rated, 4)


def test_the_frozen_values_of_an_independent_tool():
    found = meta_d(S1, S2)
    assert found.d_prime == pytest.approx(1.5444, abs=5e-5)
    assert found.value == pytest.approx(1.6538, abs=5e-5)
    assert found.m_ratio == pytest.approx(1.0709, abs=5e-5)
    assert found.m_difference == pytest.approx(1.6538 - 1.5444, abs=1e-4)
    assert found.interval[0] < 1.5444 < found.interval[1]


def test_d_prime_by_hand():
    """Hit rate Φ(1) and false-alarm rate Φ(−1) are two standard deviations apart, with no bias."""
    hits = stats.norm.cdf(1) * 1000
    found = d_prime([hits, 1000 - hits], [1000 - hits, hits])
    assert found.value == pytest.approx(2.0)
    assert found["criterion"] == pytest.approx(0.0, abs=1e-12)


def test_counts_stand_from_surest_no_to_surest_yes():
    first, second = rating_counts([0, 0, 1, 1, 1], [0, 1, 1, 0, 1], [2, 1, 2, 1, 2], 2)
    assert first.tolist() == [1, 0, 1, 0]
    assert second.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("d", [0.8, 1.5, 2.5])
def test_ratings_from_the_same_evidence_give_meta_d_equal_to_d(d):
    found = meta_d(*rater(d, 0.0, 200_000, np.random.default_rng(0)))
    assert found.d_prime == pytest.approx(d, abs=0.02)
    assert found.m_ratio == pytest.approx(1.0, abs=0.03)


def test_ratings_through_noise_lose_evidence():
    clear, noisy = (meta_d(*rater(1.5, noise, 50_000, np.random.default_rng(1))) for noise in (0.0, 1.5))
    assert noisy.m_ratio < 0.75 < clear.m_ratio
    assert noisy.d_prime == pytest.approx(clear.d_prime, abs=0.05)


def test_intervals_are_as_wide_as_fits_of_new_trials_spread():
    rng = np.random.default_rng(2)
    fits = [meta_d(*rater(1.5, 0.6, 800, rng)) for _ in range(120)]
    for value, interval in (("value", "interval"), ("m_ratio", "m_ratio_interval")):
        spread = np.std([getattr(f, value) for f in fits])
        widths = [np.diff(getattr(f, interval))[0] for f in fits]
        assert np.median(widths) / (2 * 1.96) == pytest.approx(spread, rel=0.25)


def test_a_fit_takes_milliseconds():
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        meta_d(S1, S2)
        taken.append(time.perf_counter() - start)
    assert np.median(taken) < 0.06


def test_empty_cells_are_padded_and_said_so():
    found = meta_d([50, 30, 10, 0], [2, 12, 30, 40])
    assert found.padded
    assert np.isfinite(found.value)
    assert not meta_d(S1, S2).padded


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ([10, 10, 10, 10], [10, 10, 10, 10], "d' is 0"),
        ([1, 2, 3], [1, 2, 3], "2K counts"),
        ([5, 5], [3, 7], "two confidence ratings"),
        ([1, 2, 3, 4], [4, -3, 2, 1], "negative"),
        ([0, 0, 0, 0], [4, 3, 2, 1], "must occur"),
    ],
)
def test_counts_that_cannot_be_fitted_are_refused(first, second, said):
    with pytest.raises(InputError, match=said):
        meta_d(first, second)
