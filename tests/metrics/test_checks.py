"""Nonsense is refused with the row and the reason, before anything is measured."""

import numpy as np
import pytest

from nosce.core.errors import InputError
from nosce.metrics import auroc2, brier, ece, gamma, log_score, selective_accuracy


@pytest.mark.parametrize(
    ("confidence", "correct", "said"),
    [
        ([0.2, 1.3], [0, 1], r"row 1 is 1\.3, outside \[0, 1\]"),
        ([0.2, -0.1], [0, 1], r"row 1 is -0\.1"),
        ([0.2, float("nan")], [0, 1], "row 1 is nan"),
        ([0.2, 0.3, 0.4], [0, 1], "correct has 2 rows but confidence has 3"),
        ([0.2, 0.3], [0, 0.5], r"row 1 is 0\.5; expected 0 or 1"),
        ([0.2], [1], "1 rows are too few"),
        ([[0.2, 0.3]], [[0, 1]], "expected one dimension"),
        (["a", "b"], [0, 1], "expected numbers"),
    ],
)
def test_rows_that_make_no_sense_are_named(confidence, correct, said):
    for measure in (brier, ece, log_score):
        with pytest.raises(InputError, match=said):
            measure(confidence, correct)


@pytest.mark.parametrize("measure", [auroc2, gamma])
@pytest.mark.parametrize("label", [0, 1])
def test_measures_that_compare_right_with_wrong_need_both(measure, label):
    with pytest.raises(InputError, match=f"all 3 rows are {'right' if label else 'wrong'}"):
        measure([0.1, 0.5, 0.9], [label] * 3)


def test_clusters_must_fit_the_rows_and_be_more_than_one():
    with pytest.raises(InputError, match="one per row"):
        brier([0.1, 0.5], [0, 1], clusters=[1, 2, 3])
    with pytest.raises(InputError, match="one cluster"):
        brier([0.1, 0.5], [0, 1], clusters=["a", "a"])


def test_coverage_must_be_a_share():
    with pytest.raises(InputError, match="coverage"):
        selective_accuracy(np.array([0.1, 0.9]), [0, 1], 0.0)
