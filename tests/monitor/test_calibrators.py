"""Calibrators: they recover known maps, agree with scikit-learn, and survive being written down."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from nosce.core.errors import InputError
from nosce.metrics import auroc2, ece, log_score
from nosce.monitor.calibrator_file import SavedCalibrator, rows_hash
from nosce.monitor.calibrators import (
    Beta,
    Histogram,
    Isotonic,
    Platt,
    Temperature,
    calibrator_kinds,
    fit_calibrator,
)
from nosce.monitor.grouped_calibrator import GroupedCalibrator

GRID = np.linspace(0, 1, 101)


def overconfident(n, seed=0):
    """Logits of the stated confidence are twice as large as they should be, and shifted by one half."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 2, n)
    return special.expit(2 * special.logit(truth) + 0.5), rng.random(n) < truth


def test_platt_and_beta_recover_the_map():
    c, y = overconfident(40_000)
    platt = Platt.fit(c, y)
    assert platt.slope == pytest.approx(0.5, abs=0.02)
    assert platt.shift == pytest.approx(-0.25, abs=0.03)
    beta = Beta.fit(c, y)
    assert (beta.a, beta.b) == pytest.approx((0.5, 0.5), abs=0.05)


def test_temperature_recovers_the_temperature():
    rng = np.random.default_rng(1)
    truth = rng.beta(2, 2, 40_000)
    c, y = special.expit(special.logit(truth) * 3), rng.random(40_000) < truth
    found = Temperature.fit(c, y)
    assert found.temperature == pytest.approx(3.0, rel=0.03)
    assert found.transform([0.5]) == pytest.approx([0.5])


def test_isotonic_by_hand():
    """0.2 → 1, 0.4 → 0 violate and pool at ½; 0.8 → 1; linear between the knots, flat outside."""
    found = Isotonic.fit([0.2, 0.4, 0.8], [1, 0, 1])
    assert found.transform([0.0, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0]).tolist() == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.75, 1, 1])


def test_histogram_by_hand():
    """Two bins of two rows, base rate ½: (0 + ½)/3 and (2 + ½)/3, the edge halfway between 0.2 and 0.8."""
    found = Histogram.fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], bins=2)
    assert found.edges == pytest.approx((0.5,))
    assert found.transform([0.0, 0.49, 0.51, 1.0]).tolist() == pytest.approx([0.5 / 3, 0.5 / 3, 2.5 / 3, 2.5 / 3])


def test_scikit_learn_agrees():
    isotonic = pytest.importorskip("sklearn.isotonic").IsotonicRegression(out_of_bounds="clip")
    logistic = pytest.importorskip("sklearn.linear_model").LogisticRegression(C=1e10, tol=1e-10, max_iter=1000)
    c, y = overconfident(1500)
    c = np.round(c, 2)
    assert Isotonic.fit(c, y).transform(GRID) == pytest.approx(isotonic.fit(c, y).predict(GRID), abs=1e-9)
    # Platt's targets as weights: each row counts as its target of right and the rest of wrong
    n, right = y.size, int(y.sum())
    target = np.where(y, (right + 1) / (right + 2), 1 / (n - right + 2))
    z = special.logit(np.clip(c, 1e-6, 1 - 1e-6))
    logistic.fit(np.tile(z, 2)[:, None], np.repeat([1, 0], n), sample_weight=np.concatenate((target, 1 - target)))
    ours = Platt.fit(c, y)
    assert (ours.slope, ours.shift) == pytest.approx((logistic.coef_[0, 0], logistic.intercept_[0]), rel=1e-4)


@pytest.mark.parametrize("kind", ["temperature", "platt", "beta", "histogram", "isotonic"])
def test_calibration_improves_on_rows_it_has_not_seen(kind):
    (c, y), (new_c, new_y) = overconfident(3000), overconfident(3000, seed=1)
    calibrated = fit_calibrator(kind, c, y).transform(new_c)
    assert ece(calibrated, new_y).value < 0.5 * ece(new_c, new_y).value
    floor = 1e-3  # isotonic may state exactly 0 or 1
    assert log_score(calibrated, new_y, floor=floor).value < log_score(new_c, new_y, floor=floor).value


@pytest.mark.parametrize("kind", ["temperature", "platt", "beta"])
def test_smooth_maps_keep_the_order(kind):
    c, y = overconfident(1000)
    found = fit_calibrator(kind, c, y).transform(c)
    assert auroc2(found, y).value == pytest.approx(auroc2(c, y).value)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40), st.sampled_from(list(calibrator_kinds())))
def test_whatever_the_rows_the_output_is_a_probability(pairs, kind):
    c, y = zip(*pairs, strict=True)
    try:
        found = fit_calibrator(kind, c, y).transform(GRID)
    except InputError as error:
        assert "all" in str(error)  # noqa: PT017
        return
    assert np.all((found >= 0) & (found <= 1))
    if kind != "histogram":
        assert np.all(np.diff(found) >= -1e-12)


def test_separable_rows_do_not_become_certain():
    found = Platt.fit([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]).transform([0.1, 0.9])
    assert 0.05 < found[0] < 0.4
    assert 0.6 < found[1] < 0.95


@pytest.mark.parametrize("kind", ["platt", "beta", "isotonic", "temperature"])
def test_a_signal_turned_round_is_held_flat(kind):
    """Where confidence runs against truth, the map never falls; it goes as flat as it can."""
    rng = np.random.default_rng(0)
    c = rng.random(500)
    found = fit_calibrator(kind, c, rng.random(500) > c).transform(GRID)
    assert np.all(np.diff(found) >= 0)
    assert found[90] - found[10] < 0.05


def test_groups_are_calibrated_apart_and_strangers_by_the_whole():
    (easy_c, easy_y), (hard_c, _) = overconfident(500), overconfident(500, seed=1)
    c, y = np.concatenate((easy_c, hard_c)), np.concatenate((easy_y, np.zeros(500, bool)))
    y[500:520] = True
    found = GroupedCalibrator.fit("platt", c, y, ["easy"] * 500 + ["hard"] * 500)
    easy, hard, new = found.transform([0.7, 0.7, 0.7], ["easy", "hard", "never seen"])
    assert hard < 0.2 < easy
    assert hard < new < easy
    small = GroupedCalibrator.fit("platt", c, y, ["few"] * 10 + ["many"] * 990)
    assert set(small.groups) == {"many"}
    with pytest.raises(InputError, match="group"):
        found.transform([0.7], ["a", "b"])


@pytest.mark.parametrize("kind", list(calibrator_kinds()))
def test_a_saved_calibrator_comes_back_the_same(kind):
    c, y = overconfident(300)
    saved = SavedCalibrator.fit(kind, c, y, model="bundled:1", signal="self_consistency")
    text = saved.to_json()
    back = SavedCalibrator.from_json(text)
    assert back == saved
    assert np.array_equal(back.transform(GRID), saved.transform(GRID))
    record = json.loads(text)
    assert (record["model"], record["signal"], record["version"], record["n"]) == ("bundled:1", "self_consistency", 2, 300)
    assert record["data_hash"] == rows_hash(c, y) != rows_hash(c, ~y)


def test_it_refuses_another_model_and_other_files():
    saved = SavedCalibrator.fit("platt", *overconfident(100), model="m", signal="s", strategy="votes")
    saved.check("m", "s", "votes")
    for asked, said in (
        (("other", "s", "votes"), "made for model 'm', not for 'other'; make one"),
        (("m", "t", "votes"), "made for signal 's', not for 't'"),
        (("m", "s", "think"), "made for strategy 'votes', not for 'think'"),
        (("o", "s", "think"), "made for model 'm', not for 'o'; for strategy 'votes', not for 'think'"),
    ):
        with pytest.raises(InputError, match=said):
            saved.check(*asked)
    for text, said in [
        ("{", "not JSON"),
        ("[]", "format"),
        (saved.to_json().replace('"version": 2', '"version": 9'), "version 9"),
        (saved.to_json().replace('"slope"', '"slop"'), "do not fit"),
        (saved.to_json().replace('"platt"', '"plat"'), "did you mean platt"),
        (saved.to_json().replace('"data_hash"', '"hash"'), "missing"),
    ]:
        with pytest.raises(InputError, match=said):
            SavedCalibrator.from_json(text)


def test_one_class_and_unknown_kinds_are_refused():
    with pytest.raises(InputError, match="all 3 rows are right"):
        Platt.fit([0.1, 0.5, 0.9], [1, 1, 1])
    with pytest.raises(InputError, match="did you mean isotonic"):
        fit_calibrator("isotonik", [0.1, 0.9], [0, 1])
