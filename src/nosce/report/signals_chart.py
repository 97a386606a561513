"""What each signal knows, and what it costs: one line a signal. Needs the extra `nosce[report]`."""

from __future__ import annotations

from typing import Any

from nosce.evidence.signals.choosing import LEAN
from nosce.evidence.signals.measures import SignalRow
from nosce.evidence.signals.monitoring import Monitoring
from nosce.report.charts import Chart, altair_or_refuse, data_of
from nosce.report.palette import ACCENT, INK, MUTED, PALE, PAPER, WRONG, theme
from nosce.report.text import count

KNOWS, COSTS, LINE = 430, 170, 19


def signals_chart(found: Monitoring) -> Chart:
    """AUROC2 with its 95% interval per signal, best first, beside its tokens a question.

    Filled dots are AUROC2 over all pairs, hollow ones over pairs of the same family and level; the dashed line is what the
    question alone tells. The chosen signal and the ensemble stand in colour.
    """
    alt = altair_or_refuse()
    rows = [*(row for row in (found.ensemble, found.lean) if row), *found.rows, found.question]
    points = [_point(row, found) for row in rows if row.auroc2 is not None]
    order = [point["name"] for point in points]
    base = alt.Chart(data_of(points))
    names = alt.Axis(labelLimit=320, labelColor=INK, labelFontSize=11, grid=False, title=None)
    y = alt.Y("name:N", sort=order, axis=names)
    seen = [0.5, *(p["low"] for p in points), *(p["within"] for p in points if p["within"] is not None)]
    scale = alt.Scale(domain=[max(0.0, min(seen) - 0.02), 1.0], nice=False, zero=False, clamp=True)
    x = alt.X("auroc2:Q", title="AUROC2", scale=scale, axis=alt.Axis(format=".1f", tickCount=6))
    colour = alt.Color("colour:N", scale=None)
    within = base.transform_filter("isValid(datum.within)").mark_circle(size=42, fill=PAPER, strokeWidth=1.4, opacity=1)
    knows = alt.layer(
        _question_line(alt, found, scale),
        base.mark_rule(strokeWidth=2).encode(
            y=y, x=alt.X("low:Q", title="AUROC2", scale=scale), x2="high:Q", color=alt.Color("soft:N", scale=None)
        ),
        within.encode(
            y=y, x=alt.X("within:Q", title="AUROC2", scale=scale), stroke=alt.Stroke("colour:N", scale=None)
        ),
        base.mark_circle(size=58, opacity=1).encode(y=y, x=x, color=colour),
    ).properties(width=KNOWS, height=LINE * len(points))
    right = alt.Y("name:N", sort=order, axis=None)
    cost = alt.X("tokens:Q", title="tokens a question", axis=alt.Axis(tickCount=3, format="~s"))
    bars = base.mark_bar(height={"band": 0.55}).encode(y=right, x=cost, color=alt.Color("soft:N", scale=None))
    words = base.mark_text(align="left", dx=4, color=MUTED, fontSize=10).encode(y=right, x=cost, text="said:N")
    costs = alt.layer(bars, words).properties(width=COSTS, height=LINE * len(points))
    joined = alt.hconcat(knows, costs, spacing=18).resolve_scale(y="independent")
    room = {"left": 24, "right": 8, "top": 5, "bottom": 5}
    return joined.properties(description="AUROC2 of each signal, and its cost", padding=room).configure(**theme())


def _question_line(alt: Any, found: Monitoring, scale: Any) -> Any:
    told = found.question.auroc2.value if found.question.auroc2 else 0.5
    line = alt.Chart(data_of([{"auroc2": told}]))
    return line.mark_rule(color=MUTED, strokeDash=[4, 3], strokeWidth=1).encode(
        x=alt.X("auroc2:Q", title="AUROC2", scale=scale)
    )


def _point(row: SignalRow, found: Monitoring) -> dict[str, Any]:
    assert row.auroc2 is not None
    marked = row.name in (found.chosen, "ensemble", LEAN)
    low, high = row.auroc2.interval
    return {
        "name": row.name, "auroc2": row.auroc2.value, "low": low, "high": high, "tokens": row.tokens, "said": count(row.tokens),
        "within": row.within.value if row.within else None, "colour": ACCENT if marked else WRONG,
        "soft": ACCENT if marked else PALE,
    }  # fmt: skip
