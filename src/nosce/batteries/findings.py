"""From rows to findings: every measure with an interval over items, and the paired difference of two models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice, product

import numpy as np

from nosce.core.battery import Finding, Measure, Row, share
from nosce.core.errors import InputError
from nosce.metrics.bootstrap import bootstrap, percentile_interval
from nosce.metrics.estimate import Estimate, Floats, Integers
from nosce.metrics.proportion import proportion

RESAMPLES = 1000


def findings(measures: Iterable[Measure], rows: Sequence[Row]) -> list[Finding]:
    """Each measure on the rows that have all of its columns."""
    return [finding(measure, rows) for measure in measures]


def finding(measure: Measure, rows: Sequence[Row]) -> Finding:
    """One measure, its n the items behind it; without a value, and saying why, where it is not defined on these rows."""
    columns, items = columns_of(measure, rows)
    if items.size < 2:
        return Finding(measure, None, f"{items.size} rows have {', '.join(measure.columns)}")
    try:
        return Finding(measure, _estimate(measure, columns, items))
    except InputError as error:
        return Finding(measure, None, str(error))


def columns_of(measure: Measure, rows: Sequence[Row]) -> tuple[list[Floats], Integers]:
    """The measure's columns over the rows that have all of them, and the number of each row's item."""
    kept = [row for row in rows if all(row.get(name) is not None for name in measure.columns)]
    numbers = {item: i for i, item in enumerate(dict.fromkeys(row["item"] for row in kept))}
    columns = [np.array([float(row[name]) for row in kept]) for name in measure.columns]
    return columns, np.array([numbers[row["item"]] for row in kept], dtype=np.int64)


def _estimate(measure: Measure, columns: list[Floats], items: Integers) -> Estimate:
    count = int(np.unique(items).size)
    if measure.statistic is share and count == items.size and set(np.unique(columns[0])) <= {0.0, 1.0}:
        return proportion(int(columns[0].sum()), columns[0].size)
    value = float(measure.statistic(*columns))
    if not np.isfinite(value):
        raise InputError(f"{measure.name} has no value on these rows")
    found = bootstrap(measure.statistic, *columns, clusters=items, resamples=RESAMPLES)
    if found.interval[0] == found.interval[1]:
        return Estimate(found.value, _with_unseen(measure, columns, value), count, "rule of three: no item differs")
    return Estimate(found.value, found.interval, count, "bootstrap over items")


def _with_unseen(measure: Measure, columns: list[Floats], value: float) -> tuple[float, float]:
    """Where no resample differs: the values that the figure takes when three more items are of one kind, whichever is worst.

    Of n items that are all alike, up to about 3/n of the rest may still be otherwise, at 95%.
    """
    kinds = [sorted({0.0, 1.0} if set(column) <= {0.0, 1.0} else set(column))[:8] for column in columns]
    found = [value]
    for kind in islice(product(*kinds), 256):
        more = [np.append(column, [one] * 3) for column, one in zip(columns, kind, strict=True)]
        with suppress(InputError):
            found.append(float(measure.statistic(*more)))
    held = [one for one in found if np.isfinite(one)]
    return min(held), max(held)


def difference(measure: Measure, first: Sequence[Row], second: Sequence[Row], *, seed: int = 0) -> Finding:
    """The measure on the first model's rows minus the second's, items paired: both are drawn again together.

    Only items that both models have rows of count. The interval is the bootstrap over these items.
    """
    shared = {row["item"] for row in first} & {row["item"] for row in second}
    sides = [_by_item(measure, [row for row in rows if row["item"] in shared]) for rows in (first, second)]
    names = sorted(set(sides[0]) | set(sides[1]))
    if len(names) < 2:
        return Finding(measure, None, f"{len(names)} items were put to both models")
    rng, every = np.random.default_rng(seed), np.arange(len(names))
    value = _gap(measure, sides, names, every)
    draws = np.array([_gap(measure, sides, names, rng.integers(0, len(names), len(names))) for _ in range(RESAMPLES)])
    if not np.isfinite(value):
        return Finding(measure, None, f"{measure.name} is not defined for both models")
    try:
        return Finding(measure, Estimate(value, percentile_interval(draws, 0.95), len(names), "paired bootstrap over items"))
    except InputError as error:
        return Finding(measure, None, str(error))


def _by_item(measure: Measure, rows: Sequence[Row]) -> dict[str, Floats]:
    """Each item's rows as an array [columns, rows]."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if all(row.get(name) is not None for name in measure.columns):
            grouped.setdefault(row["item"], []).append(row)
    return {item: np.array([[float(row[name]) for row in own] for name in measure.columns]) for item, own in grouped.items()}


def _gap(measure: Measure, sides: Sequence[dict[str, Floats]], names: Sequence[str], chosen: Integers) -> float:
    values = []
    for side in sides:
        blocks = [side[names[i]] for i in chosen if names[i] in side]
        try:
            values.append(float(measure.statistic(*np.concatenate(blocks, axis=1))) if blocks else np.nan)
        except InputError:
            values.append(np.nan)
    return values[0] - values[1]
