"""AUROC2 and the rank correlations: by hand, by brute force over pairs, and by scikit-learn and scipy."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from nosce.core.errors import InputError
from nosce.metrics import auroc2, gamma, kendall, phi, spearman

rows = st.lists(st.tuples(st.sampled_from([0, 0.1, 0.25, 0.5, 0.7, 1]), st.booleans()), min_size=4, max_size=50)


def columns(pairs):
    c, y = (np.array(v, float) for v in zip(*pairs, strict=True))
    assume(0 < y.sum() < y.size)
    return c, y.astype(bool)


def test_auroc2_by_hand():
    """Right at 0.9 and 0.5, wrong at 0.5 and 0.1: pairs 1, 1, ½, 1 of 4."""
    assert auroc2([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]).value == pytest.approx(3.5 / 4)


@given(rows)
def test_auroc2_and_gamma_are_shares_of_pairs(pairs):
    c, y = columns(pairs)
    difference = np.sign(c[y][:, None] - c[~y][None, :])
    assert auroc2(c, y).value == pytest.approx((difference.mean() + 1) / 2)
    untied = np.abs(difference).sum()
    if untied:
        assert gamma(c, y).value == pytest.approx(difference.sum() / untied)
    else:
        with pytest.raises(InputError, match="ties"):
            gamma(c, y)


@settings(max_examples=60)
@given(rows)
def test_oracles_agree(pairs):
    oracle = pytest.importorskip("sklearn.metrics")
    c, y = columns(pairs)
    assert auroc2(c, y).value == pytest.approx(oracle.roc_auc_score(y, c))
    assume(np.unique(c).size > 1)
    assert kendall(c, y).value == pytest.approx(stats.kendalltau(c, y).statistic)
    assert spearman(c, y).value == pytest.approx(stats.spearmanr(c, y).statistic)


@given(rows)
def test_order_and_scale_do_not_matter(pairs):
    c, y = columns(pairs)
    shuffled = np.random.default_rng(0).permutation(c.size)
    squared = auroc2(c**2, y)
    assert auroc2(c[shuffled], y[shuffled]).value == pytest.approx(squared.value)
    assert auroc2(1 - c, y).value == pytest.approx(1 - squared.value)


def test_a_perfect_score_on_few_rows_stays_uncertain():
    """With 3 right and 5 wrong rows there are 3 disjoint pairs; all agree, so the bound is 0.025^(1/3)."""
    measured = auroc2([0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.2, 0.1], [1, 1, 1, 0, 0, 0, 0, 0])
    assert measured.value == 1.0
    assert measured.interval == pytest.approx((0.025 ** (1 / 3), 1.0))


def test_delongs_interval_is_that_of_the_pairwise_definition():
    rng = np.random.default_rng(1)
    c = np.round(rng.random(80), 1)
    y = rng.random(80) < c
    kernel = (np.sign(c[y][:, None] - c[~y][None, :]) + 1) / 2
    variance = kernel.mean(1).var(ddof=1) / y.sum() + kernel.mean(0).var(ddof=1) / (~y).sum()
    assert auroc2(c, y)["error"] == pytest.approx(np.sqrt(variance))


@pytest.mark.parametrize("measure", [auroc2, gamma, kendall, spearman, phi])
def test_intervals_are_as_wide_as_the_values_spread(measure):
    rng, values, widths = np.random.default_rng(5), [], []
    for _ in range(300):
        c = np.round(rng.random(200), 1)
        y = rng.random(200) < c**1.5
        found = measure(c > 0.5, y) if measure is phi else measure(c, y)
        values.append(found.value)
        widths.append(found.interval[1] - found.interval[0])
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.15)


def test_clusters_of_copies_leave_the_interval_of_the_originals():
    rng = np.random.default_rng(2)
    c = rng.random(300)
    y = rng.random(300) < c
    alone, copied = auroc2(c, y), auroc2(np.repeat(c, 3), np.repeat(y, 3), clusters=np.repeat(np.arange(300), 3))
    assert copied.value == pytest.approx(alone.value)
    assert copied["error"] == pytest.approx(alone["error"], rel=0.01)


def test_phi_by_hand():
    """Kept & right 3, kept & wrong 1, withdrawn & right 1, withdrawn & wrong 3: (9 − 1) / 16."""
    kept, correct = [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0]
    assert phi(kept, correct).value == pytest.approx(0.5)
    with pytest.raises(InputError, match="all 3 answers were kept"):
        phi([1, 1, 1], [1, 0, 1])


def test_constants_cannot_be_ranked():
    with pytest.raises(InputError, match="the same in every row"):
        spearman([0.5, 0.5, 0.5], [1, 2, 3])
    with pytest.raises(InputError, match="the same in every row"):
        kendall([0.5, 0.5, 0.5], [1, 0, 1])
    assert auroc2([0.5, 0.5, 0.5], [1, 0, 1]).value == 0.5
