"""Brier, its decomposition and the log score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.metrics import brier, brier_skill, log_score, murphy_decomposition

rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60)


def test_brier_by_hand():
    measured = brier([0.9, 0.6, 0.2], [1, 0, 0])
    assert measured.value == pytest.approx((0.01 + 0.36 + 0.04) / 3)
    assert measured.n == 3


def test_log_score_by_hand_and_certainty_that_was_wrong_is_counted():
    assert log_score([0.8, 0.25], [1, 0]).value == pytest.approx(-(np.log(0.8) + np.log(0.75)) / 2)
    certain = log_score([1.0, 0.5], [0, 1], floor=1e-6)
    assert certain["cut"] == 1
    assert certain.value == pytest.approx((-np.log(1e-6) - np.log(0.5)) / 2)


def test_murphy_by_hand():
    """Two levels: 0.8 with 3 of 4 right, 0.4 with 1 of 4 right; base rate 0.5."""
    parts = murphy_decomposition([0.8] * 4 + [0.4] * 4, [1, 1, 1, 0, 1, 0, 0, 0])
    assert parts["reliability"] == pytest.approx((0.05**2 + 0.15**2) / 2)
    assert parts["resolution"] == pytest.approx(0.25**2)
    assert parts["uncertainty"] == pytest.approx(0.25)
    assert parts["within"] == pytest.approx(0.0, abs=1e-12)


@given(rows, st.one_of(st.none(), st.integers(1, 12)))
def test_the_parts_always_sum_to_brier(pairs, bins):
    c, y = zip(*pairs, strict=True)
    parts = murphy_decomposition(c, y, bins=bins)
    total = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert total == pytest.approx(brier(c, y).value, abs=1e-9)
    if bins is None:
        assert parts["within"] == pytest.approx(0.0, abs=1e-9)


def test_stating_the_base_rate_has_no_skill_and_truth_has_all():
    y = [1, 1, 1, 0]
    assert brier_skill([0.75] * 4, y).value == pytest.approx(0.0)
    assert brier_skill(y, y).value == 1.0
    with pytest.raises(InputError, match="base rate"):
        brier_skill([0.5, 0.5], [1, 1])


@settings(max_examples=30)
@given(rows)
def test_scikit_learn_agrees(pairs):
    oracle = pytest.importorskip("sklearn.metrics")
    c, y = (np.array(v) for v in zip(*pairs, strict=True))
    assert brier(c, y).value == pytest.approx(oracle.brier_score_loss(y, c), abs=1e-12)
    inside = np.clip(c, 1e-6, 1 - 1e-6)
    assert log_score(inside, y).value == pytest.approx(oracle.log_loss(y, inside, labels=[False, True]), rel=1e-9)


def test_intervals_cover_as_often_as_they_say():
    """Brier of c ~ U(0, 1), right with probability c, has the mean E[c (1 − c)] = 1/6."""
    rng, held = np.random.default_rng(3), 0
    for _ in range(400):
        c = rng.random(200)
        low, high = brier(c, rng.random(200) < c).interval
        held += low <= 1 / 6 <= high
    assert 0.92 <= held / 400 <= 0.98


def test_clusters_widen_the_interval_when_rows_repeat():
    rng = np.random.default_rng(0)
    c = rng.random(100)
    y = rng.random(100) < c
    alone = brier(c, y).interval
    copied = brier(np.repeat(c, 4), np.repeat(y, 4), clusters=np.repeat(np.arange(100), 4)).interval
    assert copied == pytest.approx(alone, rel=1e-9)
