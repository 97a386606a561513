"""The ensemble and the question-only predictor on rows whose truth is planted."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.metrics import auroc2
from nosce.monitor.ensemble import Ensemble
from nosce.monitor.logistic import fit_logistic
from nosce.monitor.question_only import QuestionOnly, features

NAMES = ("strong", "weak", "noise")


def planted(n: int, seed: int = 0):
    """Rightness from σ(4a + b) of two signals; a third says nothing. `strong` is squashed to near 0, as likelihoods are."""
    rng = np.random.default_rng(seed)
    a, b, noise = rng.normal(size=(3, n))
    right = rng.random(n) < 1 / (1 + np.exp(-(2 * a + b)))
    return np.column_stack([np.exp(3 * a - 12), 1 / (1 + np.exp(-b)), 1 / (1 + np.exp(-noise))]), right


def test_weights_name_what_tells_and_the_whole_beats_its_best_part():
    seen, right = planted(800)
    made = Ensemble.fit(NAMES, seen, right)
    assert next(iter(made.weights)) == "strong"
    assert abs(made.weights["noise"]) < 0.3 * made.weights["weak"]
    new, truth = planted(2000, seed=1)
    whole = made.predict(NAMES, new)
    assert auroc2(whole, truth).value > auroc2(np.clip(new[:, 0], 0, 1), truth).value + 0.01
    assert abs(whole.mean() - truth.mean()) < 0.03


def test_only_the_order_of_a_signal_matters():
    seen, right = planted(400)
    bent = seen.copy()
    bent[:, 0] = bent[:, 0] ** 0.1
    plain, other = Ensemble.fit(NAMES, seen, right), Ensemble.fit(NAMES, bent, right)
    assert plain.predict(NAMES, seen) == pytest.approx(other.predict(NAMES, bent), abs=0.02)


def test_a_missing_signal_counts_as_average_and_a_constant_one_is_left_out():
    seen, right = planted(400)
    made = Ensemble.fit((*NAMES, "constant"), np.column_stack([seen, np.ones(400)]), right)
    assert "constant" not in made.weights
    holes = seen.copy()
    holes[:, 0] = np.nan
    assert made.predict(NAMES[1:], seen[:, 1:]) == pytest.approx(made.predict(NAMES, holes))
    with pytest.raises(InputError, match="differs"):
        Ensemble.fit(("constant",), np.ones((400, 1)), right)


def test_an_ensemble_survives_its_file():
    seen, right = planted(300)
    made = Ensemble.fit(NAMES, seen, right)
    assert Ensemble.from_data(made.to_data()).predict(NAMES, seen) == pytest.approx(made.predict(NAMES, seen), abs=1e-4)


def test_held_out_rows_are_not_flattered():
    """With labels by chance, a fit knows its own rows and is blind on those it did not see."""
    rng = np.random.default_rng(0)
    x, right = rng.normal(size=(60, 40)), rng.random(60) < 0.5
    found = fit_logistic(x, right, penalties=(0.01,))
    assert auroc2(found.probe.predict(x), right).value == 1.0
    assert 0.3 < auroc2(found.held_out, right).value < 0.7


def test_the_question_alone_tells_the_hard_ones():
    rng = np.random.default_rng(0)
    digits = rng.integers(1, 7, 300)
    problems = [Problem(f"p{i}", f"{10**d}+{10 ** d + 1}") for i, d in enumerate(digits)]
    right = rng.random(300) < 1 / (1 + np.exp(2.0 * (digits - 3.5)))
    made = QuestionOnly.fit(problems[:200], right[:200])
    assert auroc2(made.predict(problems[200:]), right[200:]).value > 0.9


def test_family_level_and_reference_are_not_looked_at():
    a = Problem("a", "2+2", family="sums", level=1, reference="4")
    b = Problem("b", "2+2", family="facts", level=6, reference="5")
    assert np.array_equal(*features([a, b]))


def test_refuses_too_little_to_fit_on():
    with pytest.raises(InputError, match="at least 20"):
        QuestionOnly.fit([Problem("a", "2+2")] * 5, np.array([True] * 5))
