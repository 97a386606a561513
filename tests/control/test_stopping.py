"""Posterior rules over votes, against closed forms and simulation."""

import numpy as np
import pytest

from nosce.control.stopping import beta_majority, dirichlet_majority


def test_beta_majority_by_hand() -> None:
    assert beta_majority(3, 3) == pytest.approx(0.5)
    # Beta(n + 1, 1): P(p > 1/2) = 1 − (1/2)^(n + 1)
    assert beta_majority(4, 0) == pytest.approx(1 - 0.5**5)
    # Beta(3, 2): P(p > 1/2) = 11/16
    assert beta_majority(2, 1) == pytest.approx(11 / 16)


def test_dirichlet_majority_of_two_is_beta_majority() -> None:
    for top, second in ((2, 1), (5, 3), (7, 0)):
        assert dirichlet_majority([second, top]) == pytest.approx(beta_majority(top, second), abs=2e-3)


def test_dirichlet_majority_against_simulation() -> None:
    draws = np.random.default_rng(0).dirichlet([6, 4, 2], size=200_000)
    assert dirichlet_majority([5, 3, 1]) == pytest.approx((draws.argmax(1) == 0).mean(), abs=4e-3)
    assert dirichlet_majority([3]) == 1.0
