"""`/ui/confidence`: whether the confidence is true, and what silence buys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from nosce.evidence.policy import Policy
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
from nosce.serve.service import Service
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
    """Rows of nearly equal confidence: mean stated, share right with its exact 95% interval (`least` to `most`), how many, and
    where chance leaves a truthful model in 95% of cases (`low` to `high`)."""

    stated: float
    right: float
    n: int
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Kept:
    """The surest part of all labelled answers: its share, and the share wrong in it with an exact pointwise 95% interval."""

    n: int
    coverage: float
    risk: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Mean of stated confidence minus right, with its 95% interval (normal, over answers): above 0 is overconfident."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, labels: Labels) -> Gap | None:
        """The gap of labelled answers with a confidence; None for fewer than two."""
        sure = labels.sure
        if sure.n < 2:
            return None
        gaps = sure.stated - sure.right
        value, reach = float(gaps.mean()), 1.96 * float(gaps.std(ddof=1)) / sure.n**0.5
        return cls(value, value - reach, value + reach)


_STRATEGY = "json_extract(data, '$.strategy')"
_THOUGHT = "json_extract(data, '$.outcome') IS NOT 'passed'"  # what was passed on states no confidence and is never held back


def audited(store: Store, who: Visitor, strategy: str = "") -> Labels:
    """The answers of strategies that were drawn by chance and labelled, withheld ones included; of one, where it is named."""
    where, values = who.own()
    labelled = f"state='labelled' AND drawn='lot' AND score IS NOT NULL AND {_THOUGHT} AND {where} AND (?='' OR {_STRATEGY}=?)"
    rows = store.rows(f"SELECT raw, score, data FROM audit WHERE {labelled} ORDER BY labelled", *values, strategy, strategy)
    said = [json.loads(row["data"] or "{}").get("outcome") == "answered" for row in rows]
    return _labels([row["raw"] for row in rows], [row["score"] for row in rows], said)


def strategies(store: Store, who: Visitor) -> list[str]:
    """Whose answers were labelled, most first."""
    where, values = who.own()
    of = f"SELECT {_STRATEGY} AS name FROM audit WHERE state='labelled' AND drawn='lot' AND {where}"
    sql = f"{of} GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 8"
    return [row["name"] for row in store.rows(sql, *values) if row["name"]]


def drawn(store: Store, who: Visitor, strategy: str = "") -> dict[str, int]:
    """What became of the answers of strategies that were drawn for the audit: how many are open, labelled and skipped."""
    where, values = who.own()
    rows = store.rows(
        f"SELECT state, COUNT(*) AS n FROM audit WHERE drawn='lot' AND {_THOUGHT} AND {where} AND (?='' OR {_STRATEGY}=?) "
        "GROUP BY state",
        *values, strategy, strategy,
    )  # fmt: skip
    return {"open": 0, "labelled": 0, "skipped": 0} | {row["state"]: row["n"] for row in rows}


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
    return [
        Bin(float(stated), float(right), int(n), float(least), float(most), *clopper_pearson(round(float(right) * int(n)), int(n)))
        for stated, right, n, least, most in rows
    ]


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


def promised(service: Service) -> str:
    """The strategy whose answers the server's calibration promises a risk for; empty where nothing is promised."""
    if service.policy is None or service.config.risk is None:
        return ""
    return "auto" if isinstance(service.policy, Policy) else service.policy.calibrator.strategy


@router.get("/ui/confidence")
def confidence(
    request: Request, who: Annotated[Visitor, Depends(visitor)], days: int = 0,
    of: Annotated[str | None, Query(max_length=80)] = None,
) -> HTMLResponse:  # fmt: skip
    """Reliability, risk and coverage, and how often which confidence is stated; at first of what a risk is promised of."""
    service, period = serving(request), Period.of(days or since(serving(request).store, who))
    kept, known = promised(service), strategies(service.store, who)
    of = (kept if kept in known else "") if of is None else of
    labels, told = audited(service.store, who, of), volunteered(service.store, who, of)
    risk = service.config.risk if of and of == kept else None
    drawing: dict[str, Any] = {"reliability": None, "coverage": None, "bins": [], "here": operating(labels)}
    if labels.sure.n >= FEWEST:
        drawing["bins"] = reliability(labels)
        drawing["reliability"] = reliability_plot(drawing["bins"], reliability(told) if told.sure.n >= FEWEST else []).svg()
        drawing["coverage"] = coverage_plot(coverage(labels), drawing["here"], risk).svg()
    return page(
        request, who, "confidence.html", room="confidence", labels=labels, told=told, fewest=FEWEST, period=period, of=of,
        strategies=known, histogram=_histogram(service.store, who, period, of), drawn=drawn(service.store, who, of),
        audit=service.config.audit, risk=risk, kept=kept, gap=Gap.of(labels),
        right=_share(labels.right), accuracy=_share(labels.sure.right),
        stated=float(labels.sure.stated.mean()) if labels.sure.n else None, **drawing,
    )  # fmt: skip


def _share(right: Bools) -> Kept | None:
    """The share right with its exact 95% interval, in a Kept's `risk`, `low` and `high`; None of no rows."""
    if not right.size:
        return None
    return Kept(right.size, 1.0, float(right.mean()), *clopper_pearson(int(right.sum()), right.size))


def reliability_plot(bins: list[Bin], told: list[Bin]) -> Plot:
    """The reliability diagram, each bin with its interval and its number of answers; volunteered labels hollow."""
    most = max(b.n for b in bins)
    plot = Plot(shares("stated confidence"), shares("share right"), "Share right against stated confidence, bin by bin")
    plot.area([(b.stated, b.high) for b in bins], [(b.stated, b.low) for b in bins], "soft")
    plot.line([(0, 0), (1, 1)], "even")
    plot.whiskers([(b.stated, b.least, b.most) for b in bins], "of")
    plot.dots([(b.stated, b.right, 4.0, _of_bin(b, "volunteered")) for b in told], "hollow")
    plot.dots([(b.stated, b.right, 4 + 5 * (b.n / most) ** 0.5, _of_bin(b, "audited")) for b in bins], "full")
    for b in bins:
        plot.words(b.stated, b.right, f"{b.n}", end=b.stated > 0.5, kind="small", dy=16)
    return plot


def coverage_plot(curve: list[Kept], here: Kept | None, risk: float | None) -> Plot:
    """Risk against coverage, with where the server stands and the risk that was asked for."""
    shown = [k for k in curve if k.n >= 10] or curve
    top = min(1.0, max(0.05, *(1.35 * k.risk for k in shown), 1.35 * (risk or 0), 1.35 * (here.risk if here else 0)))
    plot = Plot(shares("share of all answered"), shares("share wrong among the answered", top), "Risk against coverage")
    plot.area([(k.coverage, k.high) for k in shown], [(k.coverage, k.low) for k in shown], "soft")
    plot.line([(k.coverage, k.risk) for k in shown], "strong")
    if risk is not None:
        plot.across(risk, "dashed", f"promised: at most {risk:.0%}", end=False)
    if here is not None:
        says = f"{here.coverage:.0%} answered, {here.risk:.1%} of them wrong (95%: {here.low:.1%} to {here.high:.1%})"
        plot.whiskers([(here.coverage, here.low, here.high)], "of")
        plot.dots([(here.coverage, here.risk, 7, says)], "full").words(here.coverage, here.risk, "here", end=here.coverage > 0.5)
    return plot


def _of_bin(b: Bin, how: str) -> str:
    right = f"right {b.right:.0%} (95%: {b.least:.0%} to {b.most:.0%})"
    return f"{b.n} {how}: stated {b.stated:.0%}, {right}; a truthful model {b.low:.0%} to {b.high:.0%}"


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
