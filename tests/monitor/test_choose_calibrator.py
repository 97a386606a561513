"""The kind of calibrator is chosen by what it says of rows it did not see."""

import numpy as np
from scipy import special

from nosce.monitor.choose_calibrator import choose_calibrator


def drawn(n, shape, seed=0):
    """Rows whose probability of being right is `shape` of the stated confidence."""
    rng = np.random.default_rng(seed)
    c = rng.beta(2, 2, n)
    return c, rng.random(n) < shape(c)


def test_a_true_confidence_is_left_as_it_is():
    assert choose_calibrator(*drawn(4000, lambda c: c)).kind == "identity"


def test_a_temperature_is_found_where_there_is_one_and_it_is_the_simplest():
    found = choose_calibrator(*drawn(6000, lambda c: special.expit(special.logit(c) / 4)))
    assert found.kind == "temperature"
    assert found.log_score["identity"] > found.log_score["temperature"]


def test_a_step_asks_for_a_shape_without_a_formula():
    found = choose_calibrator(*drawn(6000, lambda c: np.where(c > 0.45, np.where(c > 0.55, 0.35, 0.95), 0.1)))
    assert found.kind == "histogram"


def test_the_same_question_is_never_on_both_sides_of_a_fold():
    """Each question stands fifty times, always with the same grade: apart, nothing of a grade can be learnt from its twins."""
    rng = np.random.default_rng(0)
    c, y = np.repeat(rng.random(60), 50), np.repeat(rng.random(60) < 0.5, 50)
    apart = choose_calibrator(c, y, clusters=np.repeat(np.arange(60), 50))
    mixed = choose_calibrator(c, y)
    assert mixed.log_score["isotonic"] < apart.log_score["isotonic"] - 0.02
