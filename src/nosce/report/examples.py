"""The answers worth reading: where confidence and truth part, and what was decided about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nosce.evidence.rows import Row
from nosce.report.measured_rows import ending, right, said


@dataclass(frozen=True)
class Group:
    """Rows that teach the same thing, the most telling first."""

    title: str
    note: str
    rows: list[Row]


@dataclass(frozen=True)
class _Kind:
    title: str
    note: str
    belongs: Callable[[Row], bool]
    telling: Callable[[Row], float]


def _stated(row: Row) -> float:
    return row.stated if row.stated is not None else 0.5


def _kept_back(row: Row, was_right: bool) -> bool:
    return row.outcome == "abstained" and said(row) is not None and row.correct is not None and right(row) == was_right


KINDS = (
    _Kind("Sure, and wrong", "The mistakes that a threshold does not catch.", lambda r: ending(r) == "wrong", _stated),
    _Kind("Unsure, and right", "Where doubt was not needed.", lambda r: ending(r) == "right", lambda r: -_stated(r)),
    _Kind(
        "Silent, though it was right", "The price of the threshold: answers withheld that would have been right.",
        lambda r: _kept_back(r, True), _stated,
    ),
    _Kind(
        "Silent, and well so", "Answers withheld that would have been wrong.",
        lambda r: _kept_back(r, False), _stated,
    ),
    _Kind(
        "Silent for its own reasons", "No answer to withhold: out of scope, out of budget, or said not to know.",
        lambda r: r.outcome in ("abstained", "deferred", "asked") and (said(r) is None or r.correct is None), _stated,
    ),
    _Kind("Sure, and right", "What the rest of the right answers look like.", lambda r: ending(r) == "right", _stated),
    _Kind("Answered", "Without a reference nothing can be said about being right.", lambda r: ending(r) == "answered", _stated),
    _Kind("Failed", "Problems that ended with an error of their own.", lambda r: r.outcome == "failed", _stated),
)  # fmt: skip


def instructive(rows: Sequence[Row], most: int = 3) -> list[Group]:
    """Up to `most` rows of each kind, from different families where possible; no row twice, empty kinds left out.

    Ties go to the row that cost the most tokens, then to the first in the data.
    """
    groups, taken = [], set[str]()
    for kind in KINDS:
        hits = [row for row in rows if row.id not in taken and kind.belongs(row)]
        hits.sort(key=lambda row: (-kind.telling(row), -row.cost.tokens))
        chosen = _spread(hits, most)
        taken.update(row.id for row in chosen)
        if chosen:
            groups.append(Group(kind.title, kind.note, chosen))
    return groups


def _spread(rows: Sequence[Row], most: int) -> list[Row]:
    first = {row.family: row for row in reversed(rows)}
    leading = [row for row in rows if first[row.family] is row][:most]
    rest = [row for row in rows if row not in leading]
    return (leading + rest)[:most]
