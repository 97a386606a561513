"""Numbers on a known scale: a column of percentages among probabilities is refused, not guessed at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nosce.core.errors import InputError, unknown
from nosce.metrics.estimate import Bools, Floats
from nosce.tasks._rows import Row

SCALES = ("1", "100", "log")


def number_of(row: Row, field: str, value: Any) -> float:
    """A finite number, NaN for an empty cell."""
    if value is None:
        return math.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise row.error(f"{field} is {value!r}; expected a number") from None
    if not math.isfinite(number):
        raise row.error(f"{field} is {value}; leave the cell empty where there is no value")
    return number


def probabilities_of(rows: list[Row], cells: Sequence[Any], field: str, scale: str | None) -> Floats:
    """Probabilities from cells on one scale: 1, 100 (percent, assumed where every cell has a % sign) or log."""
    signed = [isinstance(cell, str) and cell.strip().endswith("%") for cell in cells]
    values = np.array([
        number_of(row, field, cell.strip().rstrip("%") if sign else cell)
        for row, cell, sign in zip(rows, cells, signed, strict=True)
    ])  # fmt: skip
    there = ~np.isnan(values)
    if any(signed) and not all(s for s, t in zip(signed, there, strict=True) if t):
        bare = next(row for row, s, t in zip(rows, signed, there, strict=True) if t and not s)
        raise bare.error(f"{field} has no % sign, other rows have one: mixed scales in one file; write all on one")
    scale = scale or ("100" if any(signed) else "1")
    if scale not in SCALES:
        raise unknown("scale", scale, SCALES)
    _on_scale(rows, values, there, field, scale)
    return np.exp(values) if scale == "log" else values / float(scale)


def _on_scale(rows: list[Row], values: Floats, there: Bools, field: str, scale: str) -> None:
    """Refuses numbers that do not lie on the scale, saying on which one they would."""
    seen = values[there]
    if not seen.size:
        return
    fractions = np.count_nonzero((seen > 0) & (seen < 1))
    large = np.count_nonzero(seen > 1)
    low, high = (-math.inf, 0.0) if scale == "log" else (0.0, float(scale))
    outside = np.flatnonzero(there & ((values < low) | (values > high)))
    if scale != "log" and seen.min() >= 0 and seen.max() <= 100 and large and fractions > 0.02 * seen.size:
        raise InputError(
            f"{rows[0].source}: {field} is on mixed scales in one file: {large} rows above 1 (e.g. line {_line(rows, values > 1)}) "
            f"and {fractions} between 0 and 1 (e.g. line {_line(rows, (values > 0) & (values < 1))}); write all on one"
        )
    if outside.size:
        row, value = rows[int(outside[0])], values[outside[0]]
        if scale == "1" and seen.min() >= 0 and seen.max() <= 100:
            hint = "all lie in 0–100: add --scale 100"
        elif scale == "1" and seen.max() <= 0:
            hint = "all are at most 0: if they are log-probabilities, add --scale log"
        else:
            hint = "map it to a probability first (an uncertainty or a logit is none)"
        bounds = "at most 0" if scale == "log" else f"in [0, {scale}]"
        raise row.error(f"{field} is {value:g}, not {bounds} ({outside.size} such rows); {hint}")


def _line(rows: list[Row], which: Bools) -> int:
    return rows[int(np.flatnonzero(which)[0])].line
