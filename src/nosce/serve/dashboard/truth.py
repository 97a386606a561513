"""`/ui/confidence`: whether the confidence is true, and what silence buys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from nosce.metrics.bins import consistency_band
from nosce.metrics.calibration_error import ace
from nosce.metrics.estimate import Bools, Floats
from nosce.metrics.proportion import clopper_pearson
from nosce.metrics.risk_coverage import risk_coverage
from nosce.serve.dashboard.door import Visitor, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.dashboard.period import Period, since
from nosce.serve.dashboard.plot import Axis, Plot, amounts, shares
from nosce.serve.dashboard.said import short
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
FEWEST = 20
"""Labels below which nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled answers: stated confidence (NaN for none), whether right, whether given to the caller."""

    stated: Floats
    right: Bools
    answered: Bools

    @property
    def n(self) -> int:
        """How many there are."""
        return self.right.size

    @property
    def sure(self) -> Labels:
        """Those with a confidence."""
        held = ~np.isnan(self.stated)
        return Labels(self.stated[held], self.right[held], self.answered[held])


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of nearly equal confidence: mean stated, share right, how many, and where chance leaves a truthful model."""

    stated: float
    right: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The surest part of all labelled answers: its share, and the share wrong in it with an exact pointwise 95% interval."""

    n: int
    coverage: float
    risk: float
    low: float
    high: float


_STRATEGY = "json_extract(data, '$.strategy')"


def audited(store: Store, who: Visitor, strategy: str = "") -> Labels:
    """The answers drawn by chance and labelled, withheld ones included; of one strategy, where it is named."""
    where, values = who.own()
    labelled = f"state='labelled' AND score IS NOT NULL AND {where} AND (?='' OR {_STRATEGY}=?)"
    rows = store.rows(f"SELECT raw, score, data FROM audit WHERE {labelled} ORDER BY labelled", *values, strategy, strategy)
    said = [json.loads(row["data"] or "{}").get("outcome") == "answered" for row in rows]
    return _labels([row["raw"] for row in rows], [row["score"] for row in rows], said)


def strategies(store: Store, who: Visitor) -> list[str]:
    """Whose answers were labelled, most first."""
    where, values = who.own()
    sql = f"SELECT {_STRATEGY} AS name FROM audit WHERE state='labelled' AND {where} GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 8"
    return [row["name"] for row in store.rows(sql, *values) if row["name"]]


def volunteered(store: Store, who: Visitor, strategy: str = "") -> Labels:
    """The answers about which their askers said something of their own accord."""
    where, values = who.own("f.key_id")
    rows = store.rows(
        "SELECT r.confidence, f.score, r.outcome FROM feedback f JOIN requests r ON r.trace_id = f.trace_id "
        f"WHERE f.score IS NOT NULL AND {where} AND (?='' OR r.strategy=?)", *values, strategy, strategy,
    )  # fmt: skip
    return _labels([r["confidence"] for r in rows], [r["score"] for r in rows], [r["outcome"] == "answered" for r in rows])


def _labels(stated: list[float | None], scores: list[float], answered: list[bool]) -> Labels:
    known = np.array([np.nan if value is None else value for value in stated], dtype=np.float64)
    return Labels(np.clip(known, 0, 1), np.array(scores, dtype=np.float64) >= 0.5, np.array(answered, dtype=bool))


def reliability(labels: Labels, bins: int | None = None) -> list[Bin]:
    """Share right against stated confidence, in bins of nearly equal number (about 15 rows each, at most 10 bins)."""
    sure = labels.sure
    if sure.n < 2:
        return []
    table = ace(sure.stated, sure.right, bins=bins or min(10, max(2, sure.n // 15)))["bins"]
    low, high = consistency_band(sure.stated, table)
    rows = zip(table.confidence, table.accuracy, table.count, low, high, strict=True)
    return [Bin(float(stated), float(right), int(n), float(least), float(most)) for stated, right, n, least, most in rows]


def coverage(labels: Labels, most: int = 200) -> list[Kept]:
    """Share wrong among the surest, against their share of all labelled answers, those without a confidence included."""
    sure = labels.sure
    if sure.n < 2:
        return []
    curve = risk_coverage(sure.stated, sure.right)
    size, made = curve.risk.size, []
    for i in sorted({round(k * (size - 1) / (most - 1)) for k in range(most)}):
        low, high = clopper_pearson(int(curve.wrong[i]), int(curve.answered[i]))
        made.append(Kept(int(curve.answered[i]), float(curve.answered[i] / labels.n), float(curve.risk[i]), low, high))
    return made


def operating(labels: Labels) -> Kept | None:
    """Where the server stands: what it gave to its callers."""
    given = int(labels.answered.sum())
    if not given:
        return None
    wrong = int((~labels.right[labels.answered]).sum())
    return Kept(given, given / labels.n, wrong / given, *clopper_pearson(wrong, given))


@router.get("/ui/confidence")
def confidence(
    request: Request, who: Annotated[Visitor, Depends(visitor)], days: int = 0, of: Annotated[str, Query(max_length=80)] = ""
) -> HTMLResponse:  # fmt: skip
    """Reliability, risk and coverage, and how often which confidence is stated."""
    service, period = serving(request), Period.of(days or since(serving(request).store, who))
    labels, told = audited(service.store, who, of), volunteered(service.store, who, of)
    drawn: dict[str, Any] = {"reliability": None, "coverage": None, "bins": [], "here": operating(labels)}
    if labels.sure.n >= FEWEST:
        drawn["bins"] = reliability(labels)
        drawn["reliability"] = reliability_plot(drawn["bins"], reliability(told) if told.sure.n >= FEWEST else []).svg()
        drawn["coverage"] = coverage_plot(coverage(labels), drawn["here"], service.config.risk).svg()
    return page(
        request, who, "confidence.html", room="confidence", labels=labels, told=told, fewest=FEWEST, period=period, of=of,
        strategies=strategies(service.store, who), histogram=_histogram(service.store, who, period, of),
        audit=service.config.audit, risk=service.config.risk,
        right=float(labels.right.mean()) if labels.n else None,
        accuracy=float(labels.sure.right.mean()) if labels.sure.n else None,
        stated=float(labels.sure.stated.mean()) if labels.sure.n else None, **drawn,
    )  # fmt: skip


def reliability_plot(bins: list[Bin], told: list[Bin]) -> Plot:
    """The reliability diagram; volunteered labels hollow."""
    most = max(b.n for b in bins)
    plot = Plot(shares("stated confidence"), shares("share right"), "Share right against stated confidence, bin by bin")
    plot.area([(b.stated, b.high) for b in bins], [(b.stated, b.low) for b in bins], "soft")
    plot.line([(0, 0), (1, 1)], "even")
    plot.dots([(b.stated, b.right, 4.0, _of_bin(b, "volunteered")) for b in told], "hollow")
    return plot.dots([(b.stated, b.right, 4 + 5 * (b.n / most) ** 0.5, _of_bin(b, "audited")) for b in bins], "full")


def coverage_plot(curve: list[Kept], here: Kept | None, risk: float | None) -> Plot:
    """Risk against coverage, with where the server stands and the risk that was asked for."""
    shown = [k for k in curve if k.n >= 10] or curve
    top = min(1.0, max(0.05, *(1.35 * k.risk for k in shown), 1.35 * (risk or 0), 1.35 * (here.risk if here else 0)))
    top = -(-top // 0.05) * 0.05
    plot = Plot(shares("share of all answered"), shares("share wrong among the answered", top), "Risk against coverage")
    plot.area([(k.coverage, k.high) for k in shown], [(k.coverage, k.low) for k in shown], "soft")
    plot.line([(k.coverage, k.risk) for k in shown], "strong")
    if risk is not None:
        plot.across(risk, "dashed", f"asked for: at most {risk:.0%}")
    if here is not None:
        says = f"{here.coverage:.0%} answered, {here.risk:.1%} of them wrong (95%: {here.low:.1%} to {here.high:.1%})"
        plot.dots([(here.coverage, here.risk, 7, says)], "full").words(here.coverage, here.risk, "here", end=here.coverage > 0.5)
    return plot


def _of_bin(b: Bin, how: str) -> str:
    return f"{b.n} {how}: stated {b.stated:.0%}, right {b.right:.0%} (by chance {b.low:.0%} to {b.high:.0%})"


def _histogram(store: Store, who: Visitor, period: Period, of: str) -> Any:
    where, values = who.own()
    rows = store.aside(
        "SELECT MIN(19, CAST(confidence * 20 AS INTEGER)) AS bin, outcome='answered' AS given, COUNT(*) AS n FROM requests "
        f"WHERE confidence IS NOT NULL AND at >= ? AND {where} AND (?='' OR strategy=?) GROUP BY 1, 2",
        period.start, *values, of, of,
    )  # fmt: skip
    if not rows:
        return None
    given, held = {r["bin"]: r["n"] for r in rows if r["given"]}, {r["bin"]: r["n"] for r in rows if not r["given"]}
    most = max(given.get(b, 0) + held.get(b, 0) for b in range(20))
    x = Axis(0, 1, [i / 5 for i in range(6)], lambda v: f"{v:.0%}", "stated confidence")
    plot = Plot(x, amounts("answers", most, short), "How often each confidence was stated", "flat")
    for kind, counts, under in (("answered", given, {}), ("withheld", held, given)):
        spans = [(b / 20 + 0.002, (b + 1) / 20 - 0.002, under.get(b, 0), under.get(b, 0) + counts.get(b, 0),
                  f"{counts.get(b, 0)} {kind} at {b / 20:.0%} to {(b + 1) / 20:.0%}") for b in range(20)]  # fmt: skip
        plot.bars(spans, kind)
    return plot.svg()
