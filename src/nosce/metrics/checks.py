"""The one place where rows are looked at before they are measured: nonsense is refused with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.estimate import Bools, Floats, Integers


def column(values: ArrayLike, name: str, least: int = 1) -> Floats:
    """A finite one-dimensional float array of at least `least` rows, or an InputError saying what it was instead."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected numbers, one per row ({error})") from error
    if array.ndim != 1:
        raise InputError(f"{name}: expected one dimension, got shape {array.shape}")
    if array.size < least:
        raise InputError(f"{name}: {array.size} rows are too few, at least {least} are needed")
    total = array.sum() if array.size else 0.0
    if not np.isfinite(total) and not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InputError(f"{name}: row {row} is {array[row]}; drop rows without a value or say why they have none")
    return array


def probabilities(values: ArrayLike, name: str = "confidence", least: int = 1) -> Floats:
    """A column of numbers within [0, 1]. Percentages and log-probabilities are refused, not guessed at."""
    array = column(values, name, least)
    if array.size and (array.min() < 0.0 or array.max() > 1.0):
        row = int(np.flatnonzero((array < 0.0) | (array > 1.0))[0])
        raise InputError(f"{name}: row {row} is {array[row]:g}, outside [0, 1]; rescale or calibrate it first")
    return array


def truths(values: ArrayLike, name: str = "correct", least: int = 1) -> Bools:
    """A column of right (1, True) and wrong (0, False); graded scores are refused."""
    array: Any = np.asarray(values)
    if array.dtype == np.bool_ and array.ndim == 1 and array.size >= least:
        whole: Bools = array
        return whole
    numbers = column(values, name, least)
    flags: Bools = numbers == 1.0
    if not np.all(flags | (numbers == 0.0)):
        row = int(np.flatnonzero(~flags & (numbers != 0.0))[0])
        raise InputError(f"{name}: row {row} is {numbers[row]:g}; expected 0 or 1 (threshold graded scores first)")
    return flags


def same_length(*named: tuple[str, Any]) -> None:
    """Refuses columns of different length, naming both."""
    first_name, first = named[0]
    for name, other in named[1:]:
        if len(other) != len(first):
            raise InputError(f"{name} has {len(other)} rows but {first_name} has {len(first)}; they must be paired")


def scored(confidence: ArrayLike, correct: ArrayLike, least: int = 1) -> tuple[Floats, Bools]:
    """The pair every `f(confidence, correct)` takes, checked."""
    stated, right = probabilities(confidence, least=least), truths(correct, least=least)
    same_length(("confidence", stated), ("correct", right))
    return stated, right


def both_classes(right: Bools, measure: str) -> None:
    """Refuses rows that are all right or all wrong, where the measure compares the two."""
    n_right = int(np.count_nonzero(right))
    if n_right in (0, right.size):
        kind = "wrong" if n_right == 0 else "right"
        raise InputError(f"{measure}: all {right.size} rows are {kind}; it compares right rows with wrong ones")


def share(value: float, name: str) -> float:
    """A number strictly between 0 and 1."""
    if not 0.0 < value < 1.0:
        raise InputError(f"{name}: expected a number strictly between 0 and 1, got {value}")
    return float(value)


def cluster_codes(clusters: ArrayLike | None, n: int) -> Integers | None:
    """Any labels → 0 … G−1 by row, or None where every row stands alone."""
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.ndim != 1 or labels.size != n:
        raise InputError(f"clusters: expected {n} labels, one per row, got shape {labels.shape}")
    codes: Integers = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    if codes.size and codes.max() == 0:
        raise InputError("clusters: all rows belong to one cluster; an interval needs at least two")
    return codes
