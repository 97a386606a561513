"""AUROC2 within groups by hand, against AUROC2 in one group, and its intervals against the bootstrap."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.metrics import auroc2, auroc2_difference, auroc2_within, bootstrap


def test_only_pairs_of_one_group_count():
    """Group a: right .9 against wrong .2 and .9 → 1½ of 2; group b: right .1 against wrong .3 → 0 of 1. In all 1½ of 3."""
    found = auroc2_within([0.9, 0.2, 0.9, 0.1, 0.3], [1, 0, 0, 1, 0], ["a", "a", "a", "b", "b"])
    assert found.value == pytest.approx(0.5)
    assert found["pairs"] == 3


def test_telling_easy_from_hard_is_worth_nothing_within():
    """Confidence is the group: perfect between the groups, blind within them."""
    right = np.array([1] * 9 + [0] + [0] * 9 + [1])
    group = np.array([1] * 10 + [0] * 10)
    assert auroc2(group / 1.0, right).value == pytest.approx(0.9)
    assert auroc2_within(group / 1.0, right, group).value == 0.5


def rows(n: int = 300, seed: int = 0):
    rng = np.random.default_rng(seed)
    group, right = rng.integers(0, 5, n), rng.random(n) < 0.6
    sure = np.clip(rng.random(n) * 0.7 + 0.25 * right, 0, 1)
    return sure, np.clip(sure + rng.normal(0, 0.2, n), 0, 1), right, group


def test_one_group_is_auroc2():
    sure, _, right, _ = rows()
    ours, theirs = auroc2_within(sure, right, np.zeros(300)), auroc2(sure, right)
    assert ours.value == pytest.approx(theirs.value)
    assert ours.interval == pytest.approx(theirs.interval, abs=1e-3)


@pytest.mark.parametrize("groups", [None, "group"])
def test_errors_are_those_of_the_bootstrap(groups):
    sure, other, right, group = rows()
    given = group if groups else np.zeros(300)
    draws = bootstrap(lambda a, r, g: auroc2_within(a, r, g).value, sure, right, given, resamples=400)
    assert auroc2_within(sure, right, given)["error"] == pytest.approx(draws["error"], rel=0.15)
    paired = bootstrap(
        lambda a, b, r, g: auroc2_within(a, r, g).value - auroc2_within(b, r, g).value, sure, other, right, given, resamples=400
    )
    found = auroc2_difference(sure, other, right, groups=given)
    assert found.value == pytest.approx(paired.value)
    assert found["error"] == pytest.approx(paired["error"], rel=0.15)
    assert found["p_value"] < 0.05


def test_a_row_counted_twice_is_not_two_rows():
    sure, _, right, group = rows(100)
    twice = [np.tile(x, 2) for x in (sure, right, group)]
    once = auroc2_within(sure, right, group)
    assert auroc2_within(*twice, clusters=np.tile(np.arange(100), 2))["error"] == pytest.approx(once["error"], rel=0.02)
    assert auroc2_within(*twice)["error"] < 0.8 * once["error"]


def test_a_signal_does_not_differ_from_itself():
    sure, _, right, group = rows()
    found = auroc2_difference(sure, sure, right, groups=group)
    assert (found.value, found["p_value"]) == (0.0, 1.0)


def test_refuses_groups_without_both_kinds():
    with pytest.raises(InputError, match="no group holds both"):
        auroc2_within([0.1, 0.9], [0, 1], ["a", "b"])
    with pytest.raises(InputError, match="one per row"):
        auroc2_within([0.1, 0.9], [0, 1], ["a"])
