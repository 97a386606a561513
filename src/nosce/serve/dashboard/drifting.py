"""`/ui/drift`: whether the confidence still tells the truth, and the thresholds that audits gave."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.metrics.confidence_sequence import confidence_sequence
from nosce.metrics.estimate import Floats
from nosce.serve.dashboard.door import Visitor, admin, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.dashboard.plot import Axis, Plot
from nosce.serve.dashboard.said import points
from nosce.serve.dashboard.truth import Labels, audited
from nosce.serve.learning import FEWEST, LEVEL
from nosce.serve.routes import feedback

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]


EARLY = 0.95
"""The level at which the gap is called doubtful, before the alarm at LEVEL rings; it holds however often somebody looks."""


@dataclass(frozen=True, slots=True)
class Running:
    """Mean of right − confidence after each audited answer, and its interval, which holds at all times at once."""

    mean: Floats
    low: Floats
    high: Floats

    @property
    def alarm(self) -> bool:
        """Whether the interval leaves 0 out: the confidence no longer tells the truth."""
        return not self.low[-1] <= 0 <= self.high[-1]

    @property
    def since(self) -> int | None:
        """The number of labels after which it first did."""
        out = np.flatnonzero((self.low > 0) | (self.high < 0))
        return int(out[0]) + 1 if out.size else None


def running(labels: Labels, level: float = LEVEL) -> Running | None:
    """The gap as it developed; None while there are too few labels. Ends, at LEVEL, where `learning.drift` stands."""
    sure = labels.sure
    if sure.n < FEWEST:
        return None
    gaps = sure.right - sure.stated
    found = confidence_sequence((gaps + 1) / 2, level=level)
    return Running(np.cumsum(gaps) / np.arange(1, sure.n + 1), 2 * found.low - 1, 2 * found.high - 1)


@router.get("/ui/drift")
def drift(request: Request, who: Who) -> HTMLResponse:
    """The gap between confidence and truth, label by label, and the thresholds."""
    service = serving(request)
    labels = audited(service.store, who)
    seen = running(labels)
    early = running(labels, level=EARLY) if seen and not seen.alarm else None
    rows = service.store.rows("SELECT * FROM policies WHERE state<>'retired' ORDER BY id DESC") if who.admin else []
    return page(
        request, who, "drift.html", room="drift", seen=seen, early=early, labels=labels.sure.n, fewest=FEWEST, level=LEVEL,
        chart=_plot(seen).svg() if seen else None, risk=service.config.risk, audit=service.config.audit,
        thresholds=[{**dict(row), **json.loads(row["data"])} for row in rows],
    )  # fmt: skip


@router.post("/ui/drift/{number}/promote")
async def promote(number: int, request: Request, who: Who) -> Response:
    """Let a shadow threshold decide from now on."""
    await form(request, admin(who))
    await asyncio.to_thread(feedback.promote, number, request)
    return RedirectResponse("/ui/drift", 303)


def _plot(seen: Running) -> Plot:
    n, first = seen.mean.size, min(10, seen.mean.size - 1)
    every = sorted({round(first + i * (n - 1 - first) / 299) for i in range(300)})
    most = max(1.2 * float(np.abs(seen.mean[first:]).max()), 1.1 * abs(float(seen.low[-1])), 1.1 * abs(float(seen.high[-1])))
    reach = min(1.0, -(-max(0.1, most) // 0.1) * 0.1)
    ticks = [-reach, -reach / 2, 0, reach / 2, reach]
    y = Axis(-reach, reach, ticks, lambda v: points(v).removesuffix(".0"), "right minus confidence, in points")
    step = max(5, round(n / 5, -1 if n >= 50 else 0))
    counts = [v - 1 for v in range(int(step), n + 1, int(step)) if v > first]
    x = Axis(first, n - 1, counts, lambda v: f"{int(v) + 1}", "audited answers")
    plot = Plot(x, y, "The gap between confidence and truth after each audited answer", "wide")
    plot.area([(i, float(seen.high[i])) for i in every], [(i, float(seen.low[i])) for i in every], "soft")
    plot.across(0, "dashed", "0: the truth")
    plot.line([(i, float(seen.mean[i])) for i in every], "strong")
    return plot.words(n - 1, float(seen.mean[-1]), points(float(seen.mean[-1])), end=True)
