"""The time that a page looks back on, in equal pieces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from nosce.serve.dashboard.door import Visitor
from nosce.serve.dashboard.plot import Axis
from nosce.serve.store import Store

PERIODS = {1: (3600, "24 hours"), 7: (6 * 3600, "7 days"), 30: (86_400, "30 days")}
"""By days: the seconds of a piece, and what the whole is called."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end` (Unix seconds) in pieces of `step` seconds that begin on the server's own clock."""

    days: int
    start: float
    step: int
    pieces: int

    @classmethod
    def of(cls, days: int, now: float | None = None) -> Period:
        """The last day, week or month, with the piece that is under way."""
        days = days if days in PERIODS else 7
        step, now = PERIODS[days][0], time.time() if now is None else now
        shift = time.localtime(now).tm_gmtoff
        end = ((now + shift) // step + 1) * step - shift
        pieces = days * 86_400 // step
        return cls(days, end - pieces * step, step, pieces)

    @property
    def said(self) -> str:
        """What it is called."""
        return PERIODS[self.days][1]

    @property
    def sql(self) -> str:
        """The number of the piece in which `at` lies, as an expression of SQL."""
        return f"CAST((at - {self.start:.0f}) / {self.step} AS INTEGER)"

    def at(self, piece: int) -> float:
        """When a piece begins."""
        return self.start + piece * self.step

    def name(self, piece: int) -> str:
        """`24 Nov 14:00`, or `24 Nov` where pieces are days."""
        return time.strftime("%-d %b" if self.days == 30 else "%-d %b %H:%M", time.localtime(self.at(piece)))

    def axis(self) -> Axis:
        """The axis of a chart over the pieces."""
        every = {1: 6, 7: 4, 30: 5}[self.days]
        form = "%H:%M" if self.days == 1 else "%-d %b"
        ticks: Sequence[float] = [float(i) for i in range(0, self.pieces + 1, every)]
        return Axis(0, self.pieces, ticks, lambda piece: time.strftime(form, time.localtime(self.at(int(piece)))))


def since(store: Store, who: Visitor) -> int:
    """The shortest period, in days, that shows all that the visitor may see, where one does."""
    where, values = who.own()
    row = store.one(f"SELECT MIN(at) AS first FROM requests WHERE {where}", *values)
    old = (time.time() - row["first"]) / 86_400 if row and row["first"] is not None else 0.0
    return next((days for days in PERIODS if old <= days), 30)
