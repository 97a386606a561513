"""`/`: what is being asked, as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Row
from time import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from nosce.serve.dashboard.door import Visitor, serving, visitor
from nosce.serve.dashboard.pages import Page, fragment, page
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
PER_PAGE = 40
SHOWN = {
    "all": "1", "answered": "outcome='answered'", "withheld": "outcome IN ('abstained','deferred','asked')",
    "passed on": "strategy='' AND state='done'", "failed": "state IN ('failed','interrupted','cancelled') OR outcome='failed'",
}  # fmt: skip
"""What the list can be narrowed to."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The last day in figures: requests, of them thought about, answered and withheld, passed on, failed; tokens and money."""

    requests: int
    thought: int
    answered: int
    withheld: int
    passed: int
    failed: int
    calls: int
    tokens: int
    money: float
    confidence: float | None
    slowest: float | None

    @property
    def share(self) -> float | None:
        """Answered among those that were answered or withheld."""
        return self.answered / (self.answered + self.withheld) if self.answered + self.withheld else None


def sums(store: Store, who: Visitor, since: float) -> Sums:
    """What a visitor's requests came to since a time. `slowest` is the 95th percentile of the seconds taken."""
    where, values = who.own()
    row = store.aside(
        "SELECT COUNT(*) AS requests, TOTAL(strategy<>'') AS thought, TOTAL(outcome='answered') AS answered, "
        f"TOTAL({SHOWN['withheld']}) AS withheld, TOTAL({SHOWN['passed on']}) AS passed, TOTAL({SHOWN['failed']}) AS failed, "
        "TOTAL(calls) AS calls, TOTAL(prompt_tokens + completion_tokens) AS tokens, TOTAL(money) AS money, "
        f"AVG(confidence) AS confidence FROM requests WHERE at >= ? AND {where}", since, *values,
    )[0]  # fmt: skip
    took = store.aside(
        f"SELECT seconds FROM requests WHERE at >= ? AND seconds IS NOT NULL AND {where} ORDER BY seconds LIMIT 1 OFFSET "
        f"(SELECT COUNT(*) * 95 / 100 FROM requests WHERE at >= ? AND seconds IS NOT NULL AND {where})",
        since, *values, since, *values,
    )  # fmt: skip
    whole = {n: int(row[n]) for n in ("requests", "thought", "answered", "withheld", "passed", "failed", "calls", "tokens")}
    return Sums(**whole, money=row["money"], confidence=row["confidence"], slowest=took[0]["seconds"] if took else None)


def newest(store: Store, who: Visitor, shown: str, before: float | None = None, most: int = PER_PAGE) -> list[Row]:
    """The newest requests: their texts where they are kept, the name of their key, and what was said of them afterwards."""
    where, values = who.own("r.key_id")
    return store.aside(
        "SELECT r.*, COALESCE(k.name, r.key_id) AS key_name, f.score AS volunteered, a.score AS audited, "
        "json_extract(t.trace, '$.events[0][3].asked') AS question, json_extract(t.trace, '$.events[#-1][3].value') AS answer "
        "FROM requests r LEFT JOIN traces t ON t.trace_id = r.trace_id LEFT JOIN keys k ON k.id = r.key_id "
        "LEFT JOIN feedback f ON f.trace_id = r.trace_id "
        "LEFT JOIN (SELECT trace_id, score FROM audit WHERE state='labelled') a ON a.trace_id = r.trace_id "
        f"WHERE ({SHOWN[shown]}) AND {where} AND r.at < ? ORDER BY r.at DESC LIMIT ?", *values, before or 1e12, most,
    )  # fmt: skip


@router.get("/")
def traffic(
    request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "all", before: float | None = None
) -> HTMLResponse:  # fmt: skip
    """The newest requests, and the last day in figures."""
    shown = show if show in SHOWN else "all"
    content = _content(request, who, shown, before)
    content["day"] = sums(serving(request).store, who, time() - 86_400)
    return page(request, who, "traffic.html", room="traffic", shows=list(SHOWN), show=shown, **content)


@router.get("/ui/traffic/rows")
def rows(request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "all", seen: str = "") -> Response:
    """The same list alone; 204 where it is what was seen already."""
    content = _content(request, who, show if show in SHOWN else "all", None)
    if content["version"] == seen[:64]:
        return Response(status_code=204)
    return HTMLResponse(fragment("_traffic.html", **content, who=who))


def _content(request: Request, who: Visitor, show: str, before: float | None) -> dict[str, Any]:
    service = serving(request)
    found = newest(service.store, who, show, before)
    several = len(service.store.rows("SELECT id FROM keys LIMIT 1")) > 0 and who.admin
    return {
        "rows": found, "several": several, "version": _version(found),
        "uncalibrated": service.policy is None, "texts": service.config.trace_text,
        "before": before, "older": found[-1]["at"] if len(found) == PER_PAGE else None,
        "address": str(request.base_url).rstrip("/") + "/v1", "demo": service.upstreams.replicas[service.config.first][0].local,
    }  # fmt: skip


def _version(rows: Sequence[Row]) -> str:
    said = "|".join(f"{r['trace_id']}{r['state']}{r['volunteered']}{r['audited']}" for r in rows)
    return sha256(said.encode()).hexdigest()[:16]
