"""Every measure is found by the columns it reads, and says the same as when it is called itself."""

import numpy as np
import pytest

import nosce.metrics as metrics
from nosce.metrics.inventory import COLUMNS, inventory, measure_all


@pytest.fixture(name="table")
def _table():
    rng = np.random.default_rng(0)
    p = rng.random(400)
    y = rng.random(400) < p
    stimulus = rng.random(400) < 0.5
    flags = {name: rng.random(400) < 0.6 for name in ("before", "after", "own", "external")}
    return {
        "confidence": p, "correct": y, "kept": p > 0.4, "felt": np.round(p, 1), "judged": np.round(p, 1), "correct_later": y,
        "expressed": np.round(p, 1), "intrinsic": p,
        "effort": 1 - p + rng.random(400), "stimulus": stimulus, "response": np.where(y, stimulus, ~stimulus), **flags,
    }  # fmt: skip


def test_with_every_column_every_measure_is_made(table):
    card = measure_all(table)
    assert card.missing == {}
    assert set(card.measures) == {m.name for m in inventory()}
    assert {column for m in inventory() for column in m.reads} == set(COLUMNS)
    for name, found in card.measures.items():
        assert found.interval[0] - 1e-12 <= found.value <= found.interval[1] + 1e-12, name


def test_the_values_are_those_of_the_measures_themselves(table):
    card, (p, y) = measure_all(table), (table["confidence"], table["correct"])
    for name in ("auroc2", "aurc", "ece", "brier", "gamma", "smooth_ece"):
        found = getattr(metrics, name)(p, y)
        assert (card[name].value, card[name].interval) == (found.value, found.interval)
    assert card["selective_accuracy@0.8"] == metrics.selective_accuracy(p, y, 0.8)
    assert card["coverage_at_risk@0.2"].value == metrics.coverage_at_risk(p, y, 0.2)
    assert card["withdraw_delta"] == metrics.withdraw_delta(table["kept"], y)
    rated = 1 + np.searchsorted(np.quantile(p, [0.25, 0.5, 0.75]), p, side="right")
    counts = metrics.rating_counts(table["stimulus"], table["response"], rated, 4)
    assert card["meta_d"].value == metrics.meta_d(*counts).value
    assert card["m_ratio"].value == metrics.meta_d(*counts).m_ratio


def test_what_is_not_there_is_said_and_gaps_are_left_out(table):
    p, y = table["confidence"].copy(), table["correct"].astype(float)
    p[:10], y[5:15] = np.nan, np.nan
    card = measure_all({"confidence": p, "correct": y})
    assert card["brier"] == metrics.brier(p[15:], y[15:])
    assert card.missing["blind_spot_rate"] == "needs the columns own, external"
    only = measure_all({"confidence": p, "correct": np.ones(400)}, only=("auroc2", "accuracy"))
    assert set(only.measures) == {"accuracy"}
    assert "all 390 rows are right" in only.missing["auroc2"]
