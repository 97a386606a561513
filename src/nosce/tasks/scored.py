"""From rows that came from anywhere to the columns that measures read, refusing what cannot be measured and saying why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.errors import InputError, unknown
from nosce.metrics.estimate import Bools, Floats
from nosce.metrics.inventory import COLUMNS
from nosce.tasks._rows import Row
from nosce.tasks._scales import number_of, probabilities_of
from nosce.tasks.scored_files import ScoredFile, numeric, open_scored

SHARES = ("confidence", "felt", "judged", "expressed", "intrinsic")
NUMBERS = ("effort",)
WORDS = ("id", "question", "family")
FIELDS = (*COLUMNS, *WORDS)
_YES = frozenset({"1", "1.0", "true", "yes", "right", "correct", "c", "t", "y"})
_NO = frozenset({"0", "0.0", "false", "no", "wrong", "incorrect", "i", "f", "n"})


@dataclass(frozen=True)
class Scored:
    """Columns of one length by field, NaN where a row has no value; `n` rows of `source`, which was read as `form`."""

    source: Path
    form: str
    n: int
    columns: Mapping[str, Floats]
    family: tuple[str, ...]
    question: tuple[str, ...]

    @property
    def name(self) -> str:
        """What to call it: a run by its folder, else the file."""
        return self.source.parent.name if self.source.name == "results.jsonl" else self.source.name

    @property
    def known(self) -> Bools:
        """The rows with a confidence and a grade."""
        return ~np.isnan(self.columns["confidence"]) & ~np.isnan(self.columns["correct"])


def read_scored(
    source: Path | str, *, columns: Mapping[str, str] | None = None, scale: str | None = None, pass_mark: float = 0.5,
    where: Mapping[str, str] | None = None,
) -> Scored:  # fmt: skip
    """The columns of a file. `columns`: field to column; `scale`: 1, 100 (percent) or log (log-probabilities).

    A grade in [0, 1] counts as right from `pass_mark` on. `where` keeps the rows whose column has that value. Raises InputError
    for: no confidence, no grade, a row without either, numbers out of range, several scales in one file.
    """
    found = open_scored(Path(source))
    names = _named(found, columns or {})
    rows = _kept(found, where or {})
    made: dict[str, Floats] = {}
    kept = _truths(rows, names["kept"], "kept", pass_mark) if "kept" in names else np.ones(len(rows))
    for field in (f for f in COLUMNS if f in names):
        if field in SHARES:
            made[field] = probabilities_of(rows, [_get(row, names[field]) for row in rows], field, scale)
        elif field in NUMBERS:
            made[field] = np.array([number_of(row, field, _get(row, names[field])) for row in rows])
        else:
            made[field] = kept if field == "kept" else _truths(rows, names[field], field, pass_mark)
    _complete(rows, names, made, kept)
    if bool(np.all(kept[~np.isnan(made["correct"])] == 1)):
        made.pop("kept", None)  # nothing with a grade was withdrawn: there is no decision to look at
    words = {field: tuple(_word(row, names.get(field)) for row in rows) for field in ("family", "question")}
    ids = (_word(row, names.get("id")) or str(row.line) for row in rows)
    question = tuple(text or name for text, name in zip(words["question"], ids, strict=True))
    return Scored(found.source, found.form, len(rows), made, words["family"], question)


def _named(found: ScoredFile, columns: Mapping[str, str]) -> dict[str, str]:
    """Field to column, for the fields that the file has."""
    there = list(dict.fromkeys(name for row in found.rows[:1000] for name in row.values))
    for field, column in columns.items():
        if field not in FIELDS:
            raise unknown("field", field, FIELDS)
        if not any(_get(row, column) is not None for row in found.rows):
            raise InputError(f"{found.source}: no column {column!r} for {field}; the columns are: {', '.join(there[:16])}")
    usual = {field: found.columns.get(field, field) for field in FIELDS}
    names = {field: name for field, name in usual.items() if any(_get(row, name) is not None for row in found.rows)} | dict(columns)
    for field in ("confidence", "correct"):
        if field not in names:
            raise InputError(_lacking(found, field, there))
    return names


def _lacking(found: ScoredFile, field: str, there: list[str]) -> str:
    if field == "correct":
        return (
            f"{found.source}: no row says whether it is right (column 'correct'); the columns are: {', '.join(there[:16])}; "
            "name the one that holds 1 or 0, e.g. --column correct=score"
        )
    could = [name for name in numeric(found.rows) if name not in ("correct", found.columns.get("correct"))]
    offer = f"could be: {', '.join(could[:6])}; say which, e.g. --column confidence={could[0]}" if could else (
        "a score needs a probability in [0, 1] for every answer: state one, vote (`nosce solve -s self-consistency`), or keep "
        "log-probabilities"
    )  # fmt: skip
    return f"{found.source}: no row has a confidence; {offer}"


def _kept(found: ScoredFile, where: Mapping[str, str]) -> list[Row]:
    rows = [row for row in found.rows if all(str(_get(row, name)) == value for name, value in where.items())]
    if not rows:
        raise InputError(f"{found.source}: no row has {' and '.join(f'{name}={value}' for name, value in where.items())}")
    return rows


def _get(row: Row, name: str | None) -> Any:
    """A cell by its column or a dotted path; None where it is empty."""
    if name is None:
        return None
    value = _at(row.values, name)
    return None if isinstance(value, str) and not value.strip() else value


def _at(values: Mapping[str, Any], name: str) -> Any:
    """The value under a name, or under a path of names (which may hold dots themselves)."""
    if name in values:
        return values[name]
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        inner = values.get(".".join(parts[:cut]))
        if isinstance(inner, dict):
            return _at(inner, ".".join(parts[cut:]))
    return None


def _word(row: Row, name: str | None) -> str:
    value = _get(row, name)
    return "" if value is None else str(value)


def _truths(rows: list[Row], name: str, field: str, pass_mark: float) -> Floats:
    return np.array([_truth(row, name, field, pass_mark) for row in rows])


def _truth(row: Row, name: str, field: str, pass_mark: float) -> float:
    value = _get(row, name)
    if value is None:
        return math.nan
    said = str(value).strip().lower()
    if said in _YES or said in _NO:
        return float(said in _YES)
    try:
        grade = float(said)
    except ValueError:
        raise row.error(f"{field} is {value!r}; expected 1 or 0, true or false, C or I, or a grade in [0, 1]") from None
    if not 0 <= grade <= 1:
        raise row.error(f"{field} is {value}, outside [0, 1]; expected 1 for right and 0 for wrong, or a grade between")
    return float(grade >= pass_mark)


def _complete(rows: list[Row], names: Mapping[str, str], made: Mapping[str, Floats], kept: Floats) -> None:
    """Every row that was kept has a confidence and a grade; those that were not may lack them."""
    for field in ("confidence", "correct"):
        gaps = np.flatnonzero(np.isnan(made[field]) & (kept == 1))
        if gaps.size:
            what = "confidence" if field == "confidence" else "grade (column 'correct')"
            raise rows[int(gaps[0])].error(
                f"no {what} in {gaps.size} of {len(rows)} rows (column {names[field]!r}); leave those rows out, or mark the ones "
                "that gave no answer with a column 'kept' of 0"
            )
