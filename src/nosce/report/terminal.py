"""Tables for a terminal: numbers on the right, intervals as ±, colour only where something is to be seen first."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import product
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from nosce.report.text import brief, count, percent, percent_of, share_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from nosce.evidence.compare import Comparison
    from nosce.evidence.run import Run
    from nosce.evidence.signals.monitoring import Monitoring

ACCENT = "cyan"


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Any]], *, left: Sequence[int] = (0,), cut: Sequence[int] = (), title: str = ""
) -> Table:
    """A plain table; cells are text, never markup.

    Columns in `left` are aligned left, the others right; those in `cut` end in … where they are too long.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=title or None, title_justify="left", header_style="dim", show_header=any(heads)
    )
    for index, head in enumerate(heads):
        numbers = index not in left
        drawn.add_column(head, justify="right" if numbers else "left", no_wrap=numbers or bool(cut), overflow="fold")
    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    if cut:
        room = _room(heads, cells, cut)
        for row, index in product(cells, cut):
            row[index].truncate(room, overflow="ellipsis")
    for row in cells:
        drawn.add_row(*row)
    return drawn


def width() -> int:
    """Columns of the terminal; 200 where the output is no terminal."""
    return get_terminal_size().columns if sys.stdout.isatty() else 200


def _room(heads: Sequence[str], cells: Sequence[Sequence[Text]], cut: Sequence[int]) -> int:
    """Columns left for each of the cut ones, at least 16, when the others are shown whole."""
    kept = [index for index in range(len(heads)) if index not in cut]
    taken: int = sum(max([len(heads[index]), *(row[index].cell_len for row in cells)]) for index in kept)
    return max(16, (width() - taken - 3 * len(heads)) // len(cut))


def accented(cell: str, wanted: bool = True) -> Any:
    """The cell in the accent colour where `wanted`."""
    from rich.text import Text

    return Text(cell, style=f"bold {ACCENT}") if wanted else Text(cell)


def run_tables(run: Run) -> list[Table]:
    """The result of a run: its measures, and a line for each family."""
    from nosce.report.story import figures

    measures = table(("", "", ""), [(accented(value), name, note) for value, name, note in figures(run)], left=(1, 2))
    return [measures, _families(run)]


def _families(run: Run) -> Table:
    from nosce.evidence.rows import summarise
    from nosce.report.measured_rows import self_knowledge

    heads = ("family", "questions", "answered", "right, of the answered", "right, of all", "AUROC2", "tokens a question")
    groups = {family: [row for row in run.rows if row.family == family] for family in sorted({r.family for r in run.rows})}
    lines = []
    for name, rows in [*groups.items(), ("all", run.rows)] if len(groups) > 1 else [("all", run.rows)]:
        s = summarise(rows)
        lines.append(
            (brief(name, 32) or "–", count(s.n), percent(s.coverage, 0), percent_of(s.accuracy_answered), percent_of(s.accuracy),
             share_of(self_knowledge(rows)[0]), count(s.cost.tokens / max(s.n, 1)))
        )  # fmt: skip
    return table(heads, lines)


def comparison_table(comparison: Comparison) -> Table:
    """The ranking of a comparison; systems that beat plain voting stand in the accent colour."""
    from nosce.report.comparison_table import HEADS, comparison_rows

    rows = [(accented(line.cells[0], line.sign > 0), *line.cells[1:]) for line in comparison_rows(comparison)]
    return table(HEADS, rows, left=(0, len(HEADS) - 1))


def signals_table(found: Monitoring) -> Table:
    """What every signal is worth, the chosen one in the accent colour; a narrow terminal shows the main measures alone."""
    from nosce.report.signals_table import HEADS, NARROW, signal_lines

    shown = range(len(HEADS)) if width() >= 165 else NARROW
    rows = [(accented(line.cells[0], line.chosen), *(line.cells[i] for i in shown if i)) for line in signal_lines(found)]
    return table([HEADS[i] for i in shown], rows, left=(0, 1) if 1 in shown else (0,))
