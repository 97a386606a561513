"""A comparison as rows of text, for the terminal and the page alike."""

from __future__ import annotations

from dataclasses import dataclass

from nosce.evidence.compare import Comparison, ComparisonRow
from nosce.report.text import count, percent_of, points_of, share_of

HEADS = ("system", "right", "tokens", "calls", "AUROC2", "ECE", "AURC", "against voting", "against null", "p (Holm)", "verdict")


@dataclass(frozen=True)
class Line:
    """One system: its cells in the order of HEADS, and whether it beats (1), loses to (-1) or ties with voting (0)."""

    cells: tuple[str, ...]
    sign: int


def comparison_rows(comparison: Comparison) -> list[Line]:
    """Every system that ran, in the ranking's order."""
    return [_line(row) for row in comparison.rows if not row.refused]


def _line(row: ComparisonRow) -> Line:
    shown = row.p_holm is not None and row.p_holm <= 0.05 and row.versus_frontier is not None
    sign = 0 if not shown or row.versus_frontier is None else 1 if row.versus_frontier.value > 0 else -1
    name = row.slug if row.id == row.slug else f"{row.slug} ({row.id})"
    p = "–" if row.p_holm is None else f"{row.p_holm:.3f}"
    return Line(
        (name, percent_of(row.accuracy), count(row.tokens), f"{row.calls:.1f}", share_of(row.auroc2), share_of(row.ece),
         share_of(row.aurc), points_of(row.versus_frontier), points_of(row.versus_null), p, row.verdict),
        sign,
    )  # fmt: skip
