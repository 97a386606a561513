"""What is said against what is so, by hand."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.systems.monitor.confidence_competence_gap import dunning_kruger, over, over_likelihood, remarks, when_wrong

RIGHT = np.array([1, 1, 1, 0, 0, 0, 0, 1.0])
LEVEL = np.array([1, 1, 2, 2, 5, 5, 6, 6.0])


def test_a_model_that_says_the_same_of_everything_has_the_whole_shape() -> None:
    said = np.full(8, 0.8)
    assert over(said, RIGHT) == pytest.approx(0.3)
    assert dunning_kruger(said, RIGHT, LEVEL) == pytest.approx((0.8 - 0.25) - (0.8 - 0.75))
    assert when_wrong(said, RIGHT) == pytest.approx(0.8)


def test_a_model_that_knows_its_levels_has_none() -> None:
    assert dunning_kruger(np.where(LEVEL > 3, 0.25, 0.75), RIGHT, LEVEL) == 0.0


def test_what_is_said_is_held_against_the_tokens_own_probability() -> None:
    assert over_likelihood(RIGHT, 1 - RIGHT, RIGHT) == 1.0


def test_without_a_wrong_answer_there_is_no_confidence_in_one() -> None:
    with pytest.raises(InputError, match="no answer is wrong"):
        when_wrong(np.ones(2), np.ones(2))


def test_topics_are_named_at_both_ends() -> None:
    rows = [{"family": f, "confidence": c, "right": True} for f, c in (("sums", 0.5), ("logic", 1.0)) for _ in range(5)]
    assert remarks(rows) == ["Confidence minus competence by topic runs from -50 points (sums) to +0 (logic)."]
