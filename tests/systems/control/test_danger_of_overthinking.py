"""Choosing the run that overthinks least."""

import numpy as np
import pytest

from nosce.systems.control.danger_of_overthinking import failing, selection


def test_the_lowest_score_of_each_item_is_taken_and_ties_are_shared() -> None:
    success, item = np.array([1.0, 0, 0, 0, 1, 0]), np.array([0.0, 0, 0, 1, 1, 1])
    score = np.array([0.1, 0.5, 0.9, 0.2, 0.2, 0.7])
    assert selection(success, score, item) == pytest.approx(((1 - 1 / 3) + (1 / 2 - 1 / 3)) / 2)


def test_scores_that_say_nothing_win_nothing() -> None:
    assert selection(np.array([1.0, 0, 1, 0]), np.full(4, 0.5), np.array([0.0, 0, 1, 1])) == 0.0


def test_overthinking_goes_with_failing() -> None:
    assert failing(np.array([1.0, 1, 0, 0]), np.array([0.1, 0.1, 0.9, 0.9])) == pytest.approx(1.0)
