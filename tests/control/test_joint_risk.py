"""Several promises at one threshold hold together."""

import numpy as np
import pytest
from scipy import special, stats

from nosce.control.joint_risk import RiskLimit, bounded_loss_p_values, select_threshold_jointly
from nosce.core.errors import InputError


def limits(y, cost, wrong=0.2, silent=0.6, spend=0.3):
    return [
        RiskLimit("wrong", wrong, ~y),
        RiskLimit("abstained", silent, np.ones(y.size), over="silent"),
        RiskLimit("cost", spend, cost, over="all"),
    ]


def test_by_hand():
    """At 0.9: 0 of 40 wrong, 20 of 60 silent; at 0.1: 20 of 60 wrong."""
    c, y = np.array([0.9] * 40 + [0.1] * 20), np.array([1] * 40 + [0] * 20, bool)
    two = [RiskLimit("wrong", 0.2, ~y), RiskLimit("abstained", 0.5, np.ones(60), over="silent")]
    found = select_threshold_jointly(c, two, grid=[0.9, 0.1])
    assert found.threshold == 0.9
    assert dict(found.seen) == pytest.approx({"wrong": 0.0, "abstained": 1 / 3})
    strict = [two[0], RiskLimit("abstained", 0.4, np.ones(60), over="silent")]
    assert stats.binom.cdf(20, 60, 0.4) > 0.05
    assert not select_threshold_jointly(c, strict, grid=[0.9, 0.1]).promised


def test_bounded_losses_use_the_lesser_of_two_bounds():
    n, total, alpha = 100.0, 5.0, 0.2
    kl = special.rel_entr(0.05, alpha) + special.rel_entr(0.95, 1 - alpha)
    bentkus = np.e * stats.binom.cdf(5, 100, alpha)
    found = bounded_loss_p_values(np.array([total]), np.array([n]), alpha)[0]
    assert found == pytest.approx(min(np.exp(-n * kl), bentkus))


def test_all_promises_hold_together_as_often_as_said():
    rng, broken, kept = np.random.default_rng(0), 0, 0
    for i in range(800):
        c = rng.beta(0.5, 0.3, 500)
        y, cost = rng.random(500) < c, rng.random(500) * 0.6
        found = select_threshold_jointly(c, limits(y, cost), seed=i)
        if found.threshold is None:
            continue
        kept += 1
        above = stats.beta.sf(found.threshold, 0.5, 0.3)
        wrong = 1 - 0.625 * stats.beta.sf(found.threshold, 1.5, 0.3) / above
        broken += wrong > 0.2 or 1 - above > 0.6 or 0.3 * above > 0.3
    assert kept > 600
    assert stats.binomtest(broken, 800, 0.05, alternative="greater").pvalue > 0.01


def test_promises_that_cannot_be_kept_together_are_not_made():
    rng = np.random.default_rng(1)
    c = rng.random(1000)
    y = rng.random(1000) < c
    found = select_threshold_jointly(c, limits(y, np.zeros(1000), wrong=0.1, silent=0.1))
    assert found.threshold is None
    assert "nothing promised" in found.reason


def test_limits_must_be_sound():
    with pytest.raises(InputError, match="at least one"):
        select_threshold_jointly([0.5] * 5, [])
    with pytest.raises(InputError, match="loss of 'cost'"):
        select_threshold_jointly([0.5] * 5, [RiskLimit("cost", 0.1, [2.0] * 5)])
    with pytest.raises(InputError, match="fall strictly"):
        select_threshold_jointly([0.5] * 5, [RiskLimit("wrong", 0.1, [0] * 5)], grid=[0.1, 0.2])
