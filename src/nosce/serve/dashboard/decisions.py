"""`/ui/decisions`: how questions ended over time, and what was decided on the way."""

from __future__ import annotations

from collections import Counter
from sqlite3 import Row
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from nosce.serve.dashboard.door import Visitor, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.dashboard.period import Period, since
from nosce.serve.dashboard.plot import Plot, amounts
from nosce.serve.dashboard.said import short
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
MOST, HELD = 20_000, 5000
"""The newest decisions, and the newest withheld answers, that are counted; older ones of a period are not read."""

NAMES = {"withheld": "held back", "passed": "passed on", "cancelled": "hung up on"}
KINDS = ("answered", "withheld", "passed", "cancelled", "failed")


def endings(store: Store, who: Visitor, period: Period) -> dict[str, Counter[int]]:
    """By how requests ended: their number in each piece of the period."""
    where, values = who.own()
    rows = store.aside(
        f"SELECT {period.sql} AS piece, CASE WHEN outcome='answered' THEN 'answered' "
        "WHEN outcome IN ('abstained','deferred','asked') THEN 'withheld' WHEN state='done' AND strategy='' THEN 'passed' "
        "WHEN state IN ('started', 'cancelled') THEN state ELSE 'failed' END AS kind, "
        f"COUNT(*) AS n FROM requests WHERE at >= ? AND {where} GROUP BY 1, 2", period.start, *values,
    )  # fmt: skip
    return {kind: Counter({r["piece"]: r["n"] for r in rows if r["kind"] == kind}) for kind in KINDS}


def decided(store: Store, who: Visitor, since: float, most: int = MOST) -> list[Row]:
    """What the newest `most` decisions on the way were: action, reason, how often, in how many answers; most frequent first."""
    where, values = who.own()
    return store.aside(
        "SELECT action, reason, COUNT(*) AS n, COUNT(DISTINCT trace_id) AS answers, AVG(sure) AS sure "
        f"FROM (SELECT * FROM decisions WHERE at >= ? AND {where} ORDER BY at DESC LIMIT ?) "
        "GROUP BY 1, 2 ORDER BY n DESC, action LIMIT 20", since, *values, most,
    )  # fmt: skip


def withheld(store: Store, who: Visitor, since: float) -> list[Row]:
    """Why answers were withheld: reason without its numbers, how often, mean confidence, one example; most frequent first."""
    where, values = who.own()
    rows = store.aside(
        "SELECT outcome, reason, confidence, trace_id FROM requests WHERE at >= ? AND outcome IN ('abstained','deferred','asked') "
        f"AND {where} ORDER BY at DESC LIMIT ?", since, *values, HELD,
    )  # fmt: skip
    return rows


def reasons(rows: list[Row], most: int = 10) -> list[dict[str, Any]]:
    """The reasons of withheld answers, alike ones together: numbers do not tell two reasons apart."""
    import re

    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        why = (row["reason"] or "no reason given").partition(";")[0]
        said = "asked back" if row["outcome"] == "asked" else re.sub(r"\d+(\.\d+)?", "…", why)
        groups.setdefault((row["outcome"], said), []).append(row)
    ranked = sorted(groups.items(), key=lambda pair: -len(pair[1]))[:most]
    return [{"outcome": outcome, "reason": said, "n": len(group), "example": group[0]["trace_id"], "sure": _mean(group)}
            for (outcome, said), group in ranked]  # fmt: skip


def _mean(rows: list[Row]) -> float | None:
    known = [row["confidence"] for row in rows if row["confidence"] is not None]
    return sum(known) / len(known) if known else None


@router.get("/ui/decisions")
def decisions(request: Request, who: Annotated[Visitor, Depends(visitor)], days: int = 0) -> HTMLResponse:
    """Endings over time; decisions and reasons by how frequent they are."""
    store, period = serving(request).store, Period.of(days or since(serving(request).store, who))
    ended = endings(store, who, period)
    totals = {kind: sum(counts.values()) for kind, counts in ended.items()}
    return page(
        request, who, "decisions.html", room="decisions", period=period, totals=totals, chart=_chart(ended, period),
        decided=decided(store, who, period.start), why=reasons(withheld(store, who, period.start)), all=sum(totals.values()),
        policy=serving(request).policy is not None, most=MOST, held=HELD,
    )  # fmt: skip


def _chart(ended: dict[str, Counter[int]], period: Period) -> Any:
    sums = [sum(counts[i] for counts in ended.values()) for i in range(period.pieces)]
    if not any(sums):
        return None
    plot = Plot(period.axis(), amounts("requests", max(sums), short), "How requests ended, over time", "wide")
    under = [0] * period.pieces
    for kind in KINDS:
        says = NAMES.get(kind, kind)
        spans = [(i + 0.12, i + 0.88, under[i], under[i] + ended[kind][i], f"{period.name(i)}: {ended[kind][i]:,} {says}")
                 for i in range(period.pieces)]  # fmt: skip
        plot.bars(spans, kind)
        under = [u + ended[kind][i] for i, u in enumerate(under)]
    return plot.svg()
