"""Withdrawal, feeling of knowing and validity screens."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.metrics import (
    confidence_contrast,
    control_coupling,
    feeling_of_knowing,
    judgement_of_learning,
    longest_run,
    validity_screen,
    withdraw_delta,
)


def test_withdraw_delta_by_hand():
    """Right: 3 of 4 kept. Wrong: 1 of 4 kept."""
    found = withdraw_delta([1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0])
    assert found.value == pytest.approx(0.5)
    assert (found["kept_right"], found["kept_wrong"], found["kept"]) == (0.75, 0.25, 0.5)
    assert found["profile"] == "selective"
    assert found.interval[0] < 0.5 < found.interval[1]


@pytest.mark.parametrize(
    ("kept", "profile"),
    [([1] * 20, "blanket confidence"), ([0] * 19 + [1], "blanket withdrawal"), ([1, 0] * 10, "unclassified")],
)
def test_profiles(kept, profile):
    assert withdraw_delta(kept, [1] * 10 + [0] * 10)["profile"] == profile


def test_withdraw_delta_needs_right_and_wrong_answers():
    with pytest.raises(InputError, match="all 3 rows are right"):
        withdraw_delta([1, 0, 1], [1, 1, 1])


def test_feeling_of_knowing_by_hand():
    """Felt 0.9 and 0.4 solved, 0.6 and 0.4 not: pairs + + − and a tie: gamma (2 − 1) / 3."""
    found = feeling_of_knowing([0.9, 0.4, 0.6, 0.4], [1, 1, 0, 0])
    assert found.value == pytest.approx(1 / 3)
    assert found["auroc2"].value == pytest.approx(2.5 / 4)
    assert found["bias"].value == pytest.approx(0.575 - 0.5)
    assert judgement_of_learning([0.9, 0.4, 0.6, 0.4], [1, 1, 0, 0]).value == found.value


def test_effort_that_follows_doubt_is_coupled_and_effort_that_does_not_is_not():
    doubt = np.linspace(0, 1, 50)
    assert control_coupling(1 - doubt, doubt * 100).value == pytest.approx(1.0)
    free = control_coupling(doubt, np.random.default_rng(0).random(50))
    assert free.interval[0] < 0 < free.interval[1]


def test_confidence_contrast_by_hand():
    found = confidence_contrast([0.9, 0.7, 0.4, 0.2], [1, 1, 0, 0])
    assert found.value == pytest.approx(0.5)


def test_a_model_that_always_keeps_is_not_interpreted():
    screen = validity_screen([1] * 40, [1, 0] * 20)
    assert screen.verdict == "invalid"
    assert "fixed responding" in screen.reasons[0]
    assert (screen.indices["L"].value, screen.indices["Fp"].value) == (1.0, 0.0)


def test_inverted_monitoring_is_invalid_and_sound_monitoring_valid():
    right = np.array([1, 0] * 40)
    assert validity_screen(1 - right, right).verdict == "invalid"
    assert validity_screen(right, right, bet=right).verdict == "valid"
    assert validity_screen(right, right, bet=right).indices["K"].value == 0.0


def test_withdrawing_what_everybody_knows_is_suspect():
    right = np.array([1] * 60 + [0] * 40)
    kept = np.array([0] * 12 + [1] * 48 + [0] * 30 + [1] * 10)
    endorsed = np.array([1] * 12 + [0] * 88)
    assert validity_screen(kept, right, endorsed=endorsed).verdict == "elevated"
    assert validity_screen(kept, right).verdict == "valid"


def test_longest_run():
    assert longest_run([1, 1, 0, 0, 0, 1]) == 3
    assert longest_run([]) == 0
    assert longest_run(["keep"] * 5) == 5
