"""The promise: at most α wrong among the answered, with probability 1 − δ over the calibration draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nosce.control.risk import labels_needed, plan_labels, select_threshold, threshold_grid
from nosce.core.errors import InputError

A, B = 1.2, 0.8  # confidence ~ Beta(A, B), right with exactly that probability


def true_risk(t):
    """P(wrong | confidence >= t) = 1 − E[c | c >= t], in closed form."""
    return 1 - A / (A + B) * stats.beta.sf(t, A + 1, B) / stats.beta.sf(t, A, B)


def draw(rng, n):
    c = rng.beta(A, B, n)
    return c, rng.random(n) < c


def oracle_coverage(alpha):
    grid = np.linspace(0, 0.999, 4000)
    return stats.beta.sf(grid[np.argmax(true_risk(grid) <= alpha)], A, B)


def not_above(violations, draws, delta=0.05):
    """A one-sided binomial test at 1% does not find more violations than δ allows."""
    return stats.binomtest(violations, draws, delta, alternative="greater").pvalue > 0.01


def test_labels_needed_by_hand():
    """0.95^59 <= 0.05 < 0.95^58, and 0.8^14 <= 0.05 < 0.8^13."""
    assert labels_needed(0.05) == 59
    assert labels_needed(0.2) == 14
    assert labels_needed(0.5, 0.25) == 2


@given(st.floats(0.01, 0.6), st.floats(0.01, 0.3))
def test_labels_needed_is_the_least(alpha, delta):
    n = labels_needed(alpha, delta)
    assert (1 - alpha) ** n <= delta * (1 + 1e-9)
    assert (1 - alpha) ** (n - 1) > delta * (1 - 1e-9)


@pytest.mark.parametrize(("alpha", "n", "separate"), [(0.2, 400, False), (0.2, 400, True), (0.1, 1000, False)])
def test_promises_are_broken_no_more_often_than_said(alpha, n, separate):
    rng, broken = np.random.default_rng(11), 0
    for i in range(2000):
        c, y = draw(rng, n)
        grid = threshold_grid(*draw(rng, 200), alpha=alpha, n_labels=n) if separate else None
        found = select_threshold(c, y, alpha=alpha, grid=grid, seed=i)
        broken += found.promised and true_risk(found.threshold) > alpha
    assert not_above(broken, 2000)


def test_a_fixed_grid_that_starts_at_the_limit_is_broken_about_as_often_as_allowed():
    """At a threshold whose risk is just above α the test errs nearly δ often: the promise is used up, not wasted."""
    grid = np.linspace(0, 0.999, 4000)
    edge = grid[np.argmax(true_risk(grid) <= 0.2)] - 0.0005
    assert true_risk(edge) > 0.2
    rng = np.random.default_rng(12)
    broken = sum(select_threshold(*draw(rng, 500), alpha=0.2, grid=[edge]).promised for _ in range(2000))
    assert not_above(broken, 2000)
    assert broken / 2000 > 0.02


def test_the_promise_needs_no_monotone_risk():
    """The surest tenth is right only half the time; risk first falls, then rises with leniency."""
    rng, broken = np.random.default_rng(13), 0
    levels = np.linspace(0.05, 0.95, 10)
    chance = np.append(levels[:-1] ** 0.5, 0.5)
    risk = {t: 1 - chance[i:].mean() for i, t in enumerate(levels)}
    for i in range(2000):
        place = rng.integers(0, 10, 600)
        found = select_threshold(levels[place], rng.random(600) < chance[place], alpha=0.2, seed=i)
        if found.promised:
            broken += risk[min(t for t in levels if t >= found.threshold)] > 0.2
    assert not_above(broken, 2000)


def test_picking_the_best_looking_threshold_does_break_it():
    """The control: the most lenient threshold whose observed risk is at most α fails about half the time."""
    rng, broken = np.random.default_rng(14), 0
    for _ in range(300):
        c, y = draw(rng, 400)
        order = np.argsort(-c)
        fits = np.flatnonzero(np.cumsum(~y[order]) / np.arange(1, 401) <= 0.2)
        broken += bool(fits.size) and true_risk(c[order][fits[-1]]) > 0.2
    assert broken / 300 > 0.3


def test_coverage_comes_near_the_oracle():
    """2,000 calibrated labels whose signal tells well: within five points of the oracle threshold on average."""
    rng, covered = np.random.default_rng(15), []

    def sharp(n):
        c = rng.beta(0.5, 0.3, n)
        return c, rng.random(n) < c

    for _ in range(100):
        found = select_threshold(*sharp(2000), alpha=0.2, grid=threshold_grid(*sharp(500), alpha=0.2, n_labels=2000))
        covered.append(stats.beta.sf(found.threshold, 0.5, 0.3))
    grid = np.linspace(0, 0.999, 4000)
    risk = 1 - 0.625 * stats.beta.sf(grid, 1.5, 0.3) / stats.beta.sf(grid, 0.5, 0.3)
    oracle = stats.beta.sf(grid[np.argmax(risk <= 0.2)], 0.5, 0.3)
    assert oracle - np.mean(covered) <= 0.05


def test_by_hand():
    """α = 0.2, δ = 0.05: 14 right of 14 at 0.9 is accepted (0.8^14 = 0.044); 20 with 5 wrong at 0.5 is not."""
    c, y = [0.9] * 14 + [0.5] * 6, [1] * 14 + [0] * 5 + [1]
    found = select_threshold(c, y, alpha=0.2, grid=[0.9, 0.5])
    assert (found.threshold, found.promised, found.n_answered, found.n_wrong) == (0.9, True, 14, 0)
    assert found.coverage == pytest.approx(0.7)
    assert found.p_value == pytest.approx(0.8**14)
    assert found.answers([0.95, 0.9, 0.89]).tolist() == [True, True, False]


def test_testing_stops_at_the_first_failure():
    """The second threshold fails, so the third, which would pass, is never looked at."""
    c = [0.9] * 20 + [0.7] * 10 + [0.5] * 300
    y = [1] * 20 + [0] * 10 + [1] * 300
    found = select_threshold(c, y, alpha=0.2, grid=[0.9, 0.7, 0.5])
    assert (found.threshold, found.tested) == (0.9, 2)


def test_too_few_labels_promise_nothing_and_say_how_many():
    found = select_threshold(np.full(40, 0.9), np.ones(40), alpha=0.05)
    assert (found.threshold, found.promised, found.labels_needed) == (None, False, 59)
    assert "at least 59" in found.reason
    assert not found.answers([1.0, 0.5]).any()
    assert select_threshold(np.full(59, 0.9), np.ones(59), alpha=0.05).promised


def test_a_signal_that_knows_nothing_promises_nothing():
    rng = np.random.default_rng(0)
    found = select_threshold(rng.random(1000), rng.random(1000) < 0.5, alpha=0.2)
    assert not found.promised
    assert found.labels_useful is None
    assert "too many" in found.reason


def test_everything_may_be_answered_where_everything_is_good_enough():
    rng = np.random.default_rng(1)
    found = select_threshold(rng.random(500), rng.random(500) < 0.97, alpha=0.1)
    assert found.threshold == 0.0
    assert found.coverage == 1.0


def test_placement_without_labels_trusts_the_confidence_and_costs_only_coverage():
    rng = np.random.default_rng(2)
    c, y = draw(rng, 2000)
    fitted = threshold_grid(draw(rng, 500)[0], alpha=0.2, n_labels=2000)
    found = select_threshold(c, y, alpha=0.2, grid=fitted)
    assert found.promised
    assert found.coverage > oracle_coverage(0.2) - 0.12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(1, 3000))
def test_grids_fall_strictly_and_end_with_answering_everything(confidence, n):
    grid = threshold_grid(confidence, alpha=0.1, n_labels=n)
    assert np.all(np.diff(grid) < 0)
    assert grid[-1] == 0.0


def test_plan_says_how_many_labels_a_promise_takes():
    """No errors expected: the bare minimum, twice as many at half the coverage; risk at α: never."""
    assert plan_labels(0.05, risk=0.0) == 59
    assert plan_labels(0.05, risk=0.0, coverage=0.5) == 118
    assert plan_labels(0.05, risk=0.05) is None
    several = plan_labels(0.05, risk=0.02)
    assert 200 < several < 400
    rng = np.random.default_rng(3)
    passed = sum(
        select_threshold(np.ones(several), rng.random(several) > 0.02, alpha=0.05, grid=[0.5]).promised for _ in range(400)
    )
    assert 0.74 <= passed / 400 <= 0.92


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": 0.2, "delta": 1.0}, "delta"),
        ({"alpha": 0.2, "grid": [0.5, 0.9]}, "fall strictly"),
        ({"alpha": 0.2, "grid": [1.5]}, "outside"),
    ],
)
def test_bad_requests_are_refused(arguments, said):
    with pytest.raises(InputError, match=said):
        select_threshold([0.9, 0.8], [1, 0], **arguments)
