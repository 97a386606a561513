"""Confidence level, critique score, RSS and the blind spot."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nosce.core.errors import InputError
from nosce.metrics import blind_spot_rate, confidence_level, critique_score, relative_self_correction_score

BEFORE, AFTER = [1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]


def test_by_hand():
    """3 of 4 right answers stay right, 1 of 2 wrong ones is mended; accuracy 4/6 before and after."""
    assert confidence_level(BEFORE, AFTER).value == pytest.approx(0.75)
    assert critique_score(BEFORE, AFTER).value == pytest.approx(0.5)
    assert relative_self_correction_score(BEFORE, AFTER).value == pytest.approx(0.5)


def test_samples_of_one_problem_are_joined():
    """Problem x: a = 1/2, b = 1, c = 0; problem y: a = 1, b = 1/2. CL = (1/2 + 1/2) / (3/2)."""
    before, after, problem = [1, 0, 1, 1], [1, 0, 1, 0], ["x", "x", "y", "y"]
    assert confidence_level(before, after, problem=problem).value == pytest.approx(2 / 3)
    assert critique_score(before, after, problem=problem).value == pytest.approx(0.0)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_accuracy_after_is_made_of_both(pairs):
    before, after = (np.array(v) for v in zip(*pairs, strict=True))
    assume(0 < before.sum() < before.size)
    first = before.mean()
    keep = confidence_level(before, after, resamples=200).value
    mend = critique_score(before, after, resamples=200).value
    assert first * keep + (1 - first) * mend == pytest.approx(after.mean())
    rss = relative_self_correction_score(before, after, resamples=200).value
    assert rss == pytest.approx((after.mean() - first**2) / (2 * first * (1 - first)))


def test_what_has_no_value_is_refused():
    with pytest.raises(InputError, match="no first answer is right"):
        confidence_level([0, 0, 0], [1, 0, 1])
    with pytest.raises(InputError, match="every first answer is right"):
        critique_score([1, 1, 1], [1, 0, 1])


def test_blind_spot_by_hand():
    """Mends 4 of 5 errors of others and 1 of 5 of its own: (0.8 − 0.2) / 0.8."""
    found = blind_spot_rate([1, 0, 0, 0, 0], [1, 1, 1, 1, 0])
    assert found.value == pytest.approx(0.75)
    assert (found["own"], found["external"]) == (0.2, 0.8)
    assert blind_spot_rate([0, 1], [0, 0]).value == 0.0
    assert blind_spot_rate([1, 1], [1, 1]).value == 0.0


def test_the_interval_covers_the_truth_about_as_often_as_said():
    rng, held = np.random.default_rng(0), 0
    for i in range(200):
        before = rng.random(150) < 0.6
        after = np.where(before, rng.random(150) < 0.9, rng.random(150) < 0.3)
        low, high = critique_score(before, after, resamples=300, seed=i).interval
        held += low <= 0.3 <= high
    assert held / 200 > 0.89
