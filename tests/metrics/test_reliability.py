"""The reliability curve, its bands, and the scorecard."""

import json

import numpy as np
import pytest
from scipy import stats

from nosce.core.errors import InputError
from nosce.metrics import reliability_curve, scorecard, withdraw_delta


def test_points_intervals_and_band_of_one_bin():
    """Ten rows at 0.75, six right: band Binomial(10, 0.75), interval Clopper–Pearson of 6/10."""
    curve = reliability_curve([0.75] * 10, [1] * 6 + [0] * 4, bins=2)
    assert curve.bins.accuracy.tolist() == [0.6]
    assert curve.band_low[0] == stats.binom.ppf(0.025, 10, 0.75) / 10
    assert curve.band_high[0] == stats.binom.ppf(0.975, 10, 0.75) / 10
    exact = stats.binomtest(6, 10).proportion_ci(method="exact")
    assert (curve.low[0], curve.high[0]) == pytest.approx((exact.low, exact.high))
    assert not curve.outside[0]


def test_scikit_learn_agrees():
    oracle = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(0)
    c = rng.random(500)
    y = rng.random(500) < c
    observed, stated = oracle.calibration_curve(y, c, n_bins=10)
    curve = reliability_curve(c, y, bins=10)
    assert curve.bins.accuracy == pytest.approx(observed)
    assert curve.bins.confidence == pytest.approx(stated)


def test_the_calibrated_stay_in_the_band_and_the_overconfident_leave_it():
    rng = np.random.default_rng(1)
    left = bins = 0
    for _ in range(60):
        c = rng.random(400)
        curve = reliability_curve(c, rng.random(400) < c)
        left, bins = left + int(curve.outside.sum()), bins + curve.outside.size
    assert left / bins <= 0.05
    c = rng.uniform(0.5, 1, 2000)
    assert reliability_curve(c, rng.random(2000) < c - 0.2).outside.all()


def test_bins_of_equal_mass():
    curve = reliability_curve(np.linspace(0.01, 0.99, 100), [0, 1] * 50, bins=4, by="mass")
    assert curve.bins.count.tolist() == [25] * 4
    with pytest.raises(InputError, match="by"):
        reliability_curve([0.5], [1], by="luck")


def test_a_scorecard_leaves_out_what_cannot_be_measured_and_says_why():
    card = scorecard([0.2, 0.8, 0.6], [1, 1, 1])
    assert card["accuracy"].value == 1.0
    assert "all 3 rows are right" in card.missing["auroc2"]
    full = scorecard([0.2, 0.8, 0.6, 0.9], [0, 1, 0, 1])
    assert not full.missing
    assert full["auroc2"].value == 1.0


def test_an_estimate_is_plain_data_for_json():
    found = withdraw_delta([1, 1, 0, 0], [1, 0, 1, 0]).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert (found["value"], found["n"], found["profile"]) == (0.0, 4, "unclassified")
