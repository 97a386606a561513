"""Risk against coverage and the areas under it."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nosce.metrics import (
    augrc,
    aurc,
    auroc2,
    coverage_at_risk,
    e_aurc,
    prr,
    risk_coverage,
    selective_accuracy,
)

rows = st.lists(st.tuples(st.sampled_from([0, 0.2, 0.5, 0.6, 1]), st.booleans()), min_size=2, max_size=7)


def by_brute_force(c, y):
    """AURC averaged over every order of the tied rows."""
    areas = []
    for order in itertools.permutations(range(len(c))):
        if all(c[a] >= c[b] for a, b in itertools.pairwise(order)):
            wrong = np.cumsum([1 - y[i] for i in order])
            areas.append(np.mean(wrong / np.arange(1, len(c) + 1)))
    return np.mean(areas)


def test_by_hand():
    """Surest first: right, wrong, right, wrong → risks 0, 1/2, 1/3, 1/2."""
    c, y = [0.9, 0.8, 0.6, 0.1], [1, 0, 1, 0]
    curve = risk_coverage(c, y)
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert curve.threshold.tolist() == [0.9, 0.8, 0.6, 0.1]
    assert aurc(c, y).value == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert e_aurc(c, y)["perfect"] == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert e_aurc(c, y).value == pytest.approx((1 / 2) / 4)
    assert prr(c, y).value == pytest.approx((1 / 2 - 1 / 3) / (1 / 2 - 5 / 24))
    assert coverage_at_risk(c, y, 0.4) == 0.75
    assert coverage_at_risk(c, y, 0.0) == 0.25


def test_partial_prr_by_hand():
    """Rejecting at most half: risks at coverage 3/4 and 1 (two values): 1/3 and 1/2 against 1/2 by chance."""
    c, y = [0.9, 0.8, 0.6, 0.1], [1, 0, 1, 0]
    perfect, ours = (1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2
    assert prr(c, y, max_rejection=0.5).value == pytest.approx((1 / 2 - ours) / (1 / 2 - perfect))


@given(rows)
def test_ties_count_in_expectation(pairs):
    c, y = zip(*pairs, strict=True)
    assert aurc(c, y).value == pytest.approx(by_brute_force(c, y))


@given(rows)
def test_augrc_is_auroc2_and_accuracy(pairs):
    c, y = (np.array(v, float) for v in zip(*pairs, strict=True))
    assume(0 < y.sum() < y.size)
    a, area = y.mean(), auroc2(c, y).value
    assert augrc(c, y).value == pytest.approx((1 - area) * a * (1 - a) + (1 - a) ** 2 / 2)


def test_perfect_and_constant_signals_mark_the_ends():
    y = np.array([1] * 70 + [0] * 30)
    assert prr(y.astype(float), y).value == pytest.approx(1.0)
    assert e_aurc(y.astype(float), y).value == pytest.approx(0.0, abs=1e-12)
    assert prr(np.full(100, 0.5), y).value == pytest.approx(0.0)
    assert aurc(np.full(100, 0.5), y).value == pytest.approx(0.3)


@pytest.mark.parametrize("measure", [aurc, e_aurc, augrc, prr])
def test_intervals_are_as_wide_as_the_values_spread(measure):
    rng, values, widths = np.random.default_rng(7), [], []
    for _ in range(300):
        c = np.round(rng.random(300), 2)
        y = rng.random(300) < 0.2 + 0.7 * c
        found = measure(c, y)
        values.append(found.value)
        widths.append(found.interval[1] - found.interval[0])
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.15)


def test_clustered_aurc_of_copies_has_the_interval_of_the_originals():
    rng = np.random.default_rng(2)
    c = rng.random(300)
    y = rng.random(300) < c
    alone, copied = aurc(c, y), aurc(np.repeat(c, 3), np.repeat(y, 3), clusters=np.repeat(np.arange(300), 3))
    assert copied["error"] == pytest.approx(alone["error"], rel=0.02)


def test_selective_accuracy_takes_the_surest_and_splits_ties_fairly():
    c, y = [0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0]
    assert selective_accuracy(c, y, 0.25).value == 1.0
    half = selective_accuracy(c, y, 0.5)
    assert half.value == pytest.approx(0.75)
    assert (half["threshold"], half["answered"]) == (0.8, 2)
    assert selective_accuracy(c, y, 1.0).value == 0.5
