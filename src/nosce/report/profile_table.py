"""A profile as tables for a terminal: one for each of the five questions, and one of what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nosce.batteries.profile import Profile
from nosce.core.battery import ASPECTS, Aspect
from nosce.report import profile_lines as said
from nosce.report.text import brief, count, price

if TYPE_CHECKING:
    from rich.table import Table


def profile_tables(found: Sequence[Profile], *, everything: bool = False) -> list[Table]:
    """The figures of the first page (or all), what whole intervals show in the accent colour."""
    grouped = said.lines(found)
    drawn = [_aspect(aspect, [line for line in own if everything or line.front], found) for aspect, own in grouped.items()]
    return [*(table for table in drawn if table is not None), _sittings(found)]


def _aspect(aspect: Aspect, own: Sequence[said.Line], found: Sequence[Profile]) -> Table | None:
    from nosce.report.terminal import accented, table

    rows = []
    for line in own:
        cells = [accented(said.value(line.own), said.side(line.own) == "good"), said.interval(line.own)]
        if len(found) == 2:
            cells += [said.value(line.findings[1]), accented(said.gap(line), said.gap_side(line) == "good")]
        n = str(line.own.estimate.n) if line.own.estimate else "0"
        read = said.against(line.measure) if line.own.estimate else brief(f"not defined: {line.own.reason}", 60)
        rows.append((line.measure.label, *cells, n, read, line.battery.battery.id))
    versus = (found[1].spec, "difference (paired)") if len(found) == 2 else ()
    heads = ("", found[0].spec, "95%", *versus, "n", "read against", "from")
    return table(heads, rows, left=(0, len(heads) - 2, len(heads) - 1), title=ASPECTS[aspect]) if rows else None


def _sittings(found: Sequence[Profile]) -> Table:
    from nosce.report.terminal import table

    rows = []
    for one in found:
        for sitting in one.sittings:
            text = f"not asked: {sitting.refused}" if sitting.refused else " ".join(sitting.remarks)
            items = f"{sitting.items - sitting.unfinished} of {sitting.items}" if sitting.items else "–"
            rows.append((one.spec, sitting.battery.id, sitting.battery.slug, items, price(sitting.cost), text))
    heads = ("model", "id", "battery", "items", "cost", "")
    return table(heads, rows, left=(0, 1, 2, 5), title=f"What it took: {count(sum(one.cost.tokens for one in found))} tokens")
