"""Resampling: its spread is that of theory, clusters are drawn whole, and a seed fixes it."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.metrics import auroc2, bootstrap, bootstrap_mean, paired_bootstrap


def test_the_error_of_a_mean_is_that_of_theory():
    x = np.random.default_rng(0).normal(3, 2, 400)
    found = bootstrap_mean(x, resamples=4000)
    assert found.value == x.mean()
    assert found["error"] == pytest.approx(x.std() / 20, rel=0.05)
    assert found.interval == pytest.approx((x.mean() - 1.96 * x.std() / 20, x.mean() + 1.96 * x.std() / 20), abs=0.03)


def test_clusters_are_drawn_whole():
    """Ten equal rows a cluster carry no more than one row: the error is that of the cluster means."""
    means = np.random.default_rng(1).normal(0, 1, 100)
    rows, labels = np.repeat(means, 10), np.repeat(np.arange(100), 10)
    error = means.std() / 10
    assert bootstrap_mean(rows, clusters=labels, resamples=4000)["error"] == pytest.approx(error, rel=0.06)
    general = bootstrap(np.mean, rows, clusters=labels, resamples=1000)
    assert general["error"] == pytest.approx(error, rel=0.1)
    assert bootstrap_mean(rows, resamples=4000)["error"] == pytest.approx(error / np.sqrt(10), rel=0.06)


def test_any_statistic_and_resamples_without_a_value_are_left_out():
    rng = np.random.default_rng(2)
    c = rng.random(150)
    y = rng.random(150) < c
    found = bootstrap(lambda a, b: auroc2(a, b).value, c, y, resamples=400)
    assert found["error"] == pytest.approx(auroc2(c, y)["error"], rel=0.15)
    rare = bootstrap(lambda a, b: auroc2(a, b).value, [0.9, 0.1, 0.2, 0.3], [1, 0, 0, 0], resamples=200)
    assert rare["void"] > 20


def test_pairing_removes_what_both_share():
    rng = np.random.default_rng(3)
    hard = rng.normal(0, 5, 300)
    first, second = hard + rng.normal(0.5, 1, 300), hard + rng.normal(0, 1, 300)
    found = paired_bootstrap(first, second)
    assert found["error"] == pytest.approx(np.sqrt(2 / 300), rel=0.12)
    assert found["p_value"] < 0.01
    assert paired_bootstrap(second, second + rng.normal(0, 1, 300) * 0).interval == (0.0, 0.0)
    assert paired_bootstrap(second, second)["p_value"] == 1.0


def test_a_seed_fixes_the_draws():
    x = np.random.default_rng(4).random(50)
    assert bootstrap_mean(x, seed=7).interval == bootstrap_mean(x, seed=7).interval
    assert bootstrap_mean(x, seed=7).interval != bootstrap_mean(x, seed=8).interval


def test_unpaired_lengths_are_refused():
    with pytest.raises(InputError, match="second has 2 rows but first has 3"):
        paired_bootstrap([1, 2, 3], [1, 2])
