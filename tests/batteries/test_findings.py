"""From rows to findings, by hand."""

import numpy as np
import pytest

from nosce.batteries.findings import difference, finding
from nosce.core.battery import Measure, share
from nosce.core.errors import InputError
from nosce.metrics.proportion import clopper_pearson

RIGHT = Measure("right", "right", "knows", ("right",), share)


def rows(right: list[bool | None], items: list[str] | None = None) -> list[dict[str, object]]:
    names = items or [str(i) for i in range(len(right))]
    return [{"item": name, "right": r} for name, r in zip(names, right, strict=True)]


def test_a_share_with_a_row_an_item_has_the_exact_interval() -> None:
    found = finding(RIGHT, rows([True] * 18 + [False] * 2)).estimate
    assert found is not None
    assert (found.value, found.interval, found.n) == (0.9, clopper_pearson(18, 20), 20)


def test_where_no_item_differs_up_to_three_more_might_have() -> None:
    """Nothing of 20 changed between the columns: the difference is 0, and with three more that changed it would be 3 in 23."""
    both = Measure("drop", "drop", "bears", ("a", "b"), lambda a, b: float((a - b).mean()))
    found = finding(both, [{"item": str(i), "a": i % 2, "b": i % 2} for i in range(20)]).estimate
    assert found is not None
    assert found.value == 0.0
    assert found.interval == pytest.approx((-3 / 23, 3 / 23))


def test_rows_of_one_item_are_drawn_together() -> None:
    """Two items of fifty equal rows each tell as little as two rows: the interval reaches from one item's value to the other's."""
    found = finding(RIGHT, rows([True] * 50 + [False] * 50, ["a"] * 50 + ["b"] * 50)).estimate
    assert found is not None
    assert (found.interval, found.n) == ((0.0, 1.0), 2)


def test_rows_without_the_column_are_left_out() -> None:
    found = finding(RIGHT, rows([True, None, True, None, False, False])).estimate
    assert found is not None
    assert (found.value, found.n) == (0.5, 4)


def test_what_is_not_defined_says_why() -> None:
    def refuse(column: object) -> float:
        raise InputError("one class only")

    found = finding(Measure("x", "x", "knows", ("right",), refuse), rows([True, False]))
    assert (found.estimate, found.reason) == (None, "one class only")
    assert "1 rows have right" in finding(RIGHT, rows([True])).reason


def test_a_paired_difference_of_a_model_with_itself_is_nothing() -> None:
    same = rows([True, False, True, True])
    found = difference(RIGHT, same, same).estimate
    assert found is not None
    assert (found.value, found.interval) == (0.0, (0.0, 0.0))


def test_pairing_takes_out_what_items_share() -> None:
    """One model gets a tenth more of the very same items right: unpaired, that would drown in the items' own spread."""
    rng = np.random.default_rng(0)
    base = rng.random(300) < 0.5
    more = base | (np.arange(300) % 10 == 0)
    found = difference(RIGHT, rows(list(more)), rows(list(base))).estimate
    assert found is not None
    assert found.value == pytest.approx(np.mean(more) - np.mean(base))
    assert found.interval[0] > 0
    assert found.interval[1] - found.interval[0] < 0.06


def test_items_that_one_model_never_met_do_not_count() -> None:
    found = difference(RIGHT, rows([True, True, False]), rows([True, False], ["0", "1"])).estimate
    assert found is not None
    assert (found.value, found.n) == (0.5, 2)
