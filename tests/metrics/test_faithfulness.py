"""The gap between what is said and what is measured, by hand."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.metrics.faithfulness import conditional_faithfulness, faithfulness, level_weights


def test_faithfulness_by_hand():
    """Gaps 0.1, 0.5, 0.0 → 1 − 0.6/3; the words are surer than the samples by 0.4/3."""
    found = faithfulness([0.9, 1.0, 0.2], [1.0, 0.5, 0.2])
    assert found.value == pytest.approx(0.8)
    assert found["bias"] == pytest.approx(0.4 / 3)
    assert found.interval[0] < 0.8 < found.interval[1]


def test_levels_weigh_the_same_however_many_rows_they_hold():
    """Nine rows at 1.0 said plainly (gap 0) and one at 0.05 said plainly (gap 0.95): the mean is 0.905, over levels 0.525."""
    intrinsic = [1.0] * 9 + [0.05]
    assert faithfulness([1.0] * 10, intrinsic).value == pytest.approx(0.905)
    assert conditional_faithfulness([1.0] * 10, intrinsic).value == pytest.approx((1 + 0.05) / 2)
    assert level_weights(intrinsic).mean() == pytest.approx(1)


def test_words_that_always_match_score_one_and_constant_words_about_a_half():
    intrinsic = np.linspace(0.005, 0.995, 1000)
    assert conditional_faithfulness(intrinsic, intrinsic).value == pytest.approx(1)
    assert conditional_faithfulness(np.ones(1000), intrinsic).value == pytest.approx(0.5, abs=0.01)


def test_certainties_outside_the_range_are_refused():
    with pytest.raises(InputError, match="expressed"):
        faithfulness([1.2, 0.5], [0.5, 0.5])
