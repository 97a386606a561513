"""`/`: what is being asked, as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Row
from time import monotonic, time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from nosce.serve.dashboard.door import Visitor, serving, visitor
from nosce.serve.dashboard.pages import Page, fragment, page
from nosce.serve.dashboard.vital import Signs, headline, signs
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
PER_PAGE = 40
SEARCHED = 5000
"""The newest requests that are searched."""

SHOWN = {
    "all": "1", "answered": "r.outcome='answered'", "held back": "r.outcome IN ('abstained','deferred','asked')",
    "passed on": "r.strategy='' AND r.state='done'", "failed": "r.state IN ('failed','interrupted') OR r.outcome='failed'",
    "hung up on": "r.state='cancelled'", "under way": "r.state='started'",
}  # fmt: skip
"""What the list can be narrowed to. A client that hung up is no failure of ours."""

_ASKED = "json_extract(t.trace, '$.events[0][3].asked')"
_QUESTION = (
    "COALESCE((SELECT json_extract(e.value, '$[3].asked') FROM json_each(t.trace, '$.events') e "
    f"WHERE json_extract(e.value, '$[3].act') IN ('think', 'direct') LIMIT 1), {_ASKED})"
)
"""What was asked: the first thought's prompt, for a strategy may ask something of its own before it."""

_SAID = "json_extract(t.trace, '$.events[#-1][3].value')"
_SEARCHED_IN = " || ' ' || ".join(
    f"COALESCE({part}, '')" for part in ("r.trace_id", "r.model", "r.strategy", "r.upstream", "r.reason", _ASKED, _SAID)
)
FRESH = 5.0
"""Seconds for which the figures above the list are kept."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The last day in figures: requests, of them thought about, answered, withheld, passed on, failed, hung up on; tokens, money.

    `confidence` is the mean over `sure` answers that stated one.
    """

    requests: int
    thought: int
    answered: int
    withheld: int
    passed: int
    failed: int
    cancelled: int
    sure: int
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
        f"TOTAL({SHOWN['held back']}) AS withheld, TOTAL({SHOWN['passed on']}) AS passed, TOTAL({SHOWN['failed']}) AS failed, "
        f"TOTAL({SHOWN['hung up on']}) AS cancelled, COUNT(confidence) AS sure, TOTAL(calls) AS calls, "
        "TOTAL(prompt_tokens + completion_tokens) AS tokens, TOTAL(money) AS money, "
        f"AVG(confidence) AS confidence FROM requests r WHERE at >= ? AND {where}", since, *values,
    )[0]  # fmt: skip
    took = store.aside(
        f"SELECT seconds FROM requests WHERE at >= ? AND seconds IS NOT NULL AND {where} ORDER BY seconds LIMIT 1 OFFSET "
        f"(SELECT COUNT(*) * 95 / 100 FROM requests WHERE at >= ? AND seconds IS NOT NULL AND {where})",
        since, *values, since, *values,
    )  # fmt: skip
    whole = {name: int(row[name]) for name in row.keys() if name not in ("money", "confidence")}  # noqa: SIM118  # no mapping
    return Sums(**whole, money=row["money"], confidence=row["confidence"], slowest=took[0]["seconds"] if took else None)


def newest(
    store: Store, who: Visitor, shown: str, before: float | None = None, most: int = PER_PAGE, having: str = ""
) -> list[Row]:
    """The newest requests: their texts where they are kept, the name of their key, and what was said of them afterwards.

    `having`: only those among the newest SEARCHED with these letters in their name, model, upstream, reason or texts.
    """
    where, values = who.own("r.key_id")
    until = before or 1e12
    start, given, found, letters = "requests", tuple[Any, ...](), "1", tuple[str, ...]()
    if having:
        start = f"(SELECT * FROM requests r WHERE {where} AND r.at < ? ORDER BY r.at DESC LIMIT {SEARCHED})"
        given, found, letters = (*values, until), f"instr(lower({_SEARCHED_IN}), ?)", (_lower(having),)
    return store.aside(
        f"SELECT r.*, COALESCE(k.name, r.key_id) AS key_name, f.score AS volunteered, a.score AS audited, {_QUESTION} AS question, "
        f"{_SAID} AS answer FROM {start} r "
        "LEFT JOIN traces t ON t.trace_id = r.trace_id LEFT JOIN keys k ON k.id = r.key_id "
        "LEFT JOIN feedback f ON f.trace_id = r.trace_id "
        "LEFT JOIN audit a ON a.trace_id = r.trace_id AND a.state='labelled' "
        f"WHERE ({SHOWN[shown]}) AND {where} AND r.at < ? AND {found} ORDER BY r.at DESC LIMIT ?",
        *given, *values, until, *letters, most,
    )  # fmt: skip


def _lower(text: str) -> str:
    """Lower case as SQLite knows it: of ASCII alone."""
    return "".join(c.lower() if c.isascii() else c for c in text)


@router.get("/")
def traffic(
    request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "all", before: float | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:  # fmt: skip
    """The vital signs, the last day in figures, and the newest requests. Searching a trace's whole name opens it."""
    shown, q = show if show in SHOWN else "all", q.strip()
    where, values = who.own()
    if len(q) >= 20 and serving(request).store.one(f"SELECT 1 FROM requests WHERE trace_id=? AND {where}", q, *values):
        return RedirectResponse(f"/ui/trace/{quote(q, safe='')}", 303)
    return page(request, who, "traffic.html", room="traffic", shows=list(SHOWN), **_content(request, who, shown, before, q))


@router.get("/ui/traffic/rows")
def rows(
    request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "all", seen: str = ""
) -> Response:  # fmt: skip
    """The same without the frame; 204 where it is what was seen already."""
    content = _content(request, who, show if show in SHOWN else "all", None)
    if content["version"] == seen[:64]:
        return Response(status_code=204)
    return HTMLResponse(fragment("_now.html", **content) + fragment("_traffic.html", **content, who=who))


@dataclass(frozen=True, slots=True)
class _Now:
    """What stands above the list."""

    signs: Signs
    day: Sums


def _now(request: Request, who: Visitor) -> _Now:
    """The signs and the day, worked out at most every FRESH seconds for all who look, so that looking costs nobody else."""
    kept: dict[str, tuple[float, _Now]] | None = getattr(request.app.state, "now", None)
    if kept is None:
        request.app.state.now = kept = {}
    name = "" if who.admin else who.caller.id
    made, held = kept.get(name, (0.0, None))
    if held is None or monotonic() - made >= FRESH:
        service = serving(request)
        held = _Now(signs(service, who, held.signs if held else None), sums(service.store, who, time() - 86_400))
        if len(kept) > 1000:
            kept.clear()
        kept[name] = monotonic(), held
    return held


def _content(request: Request, who: Visitor, show: str, before: float | None, q: str = "") -> dict[str, Any]:
    service, now = serving(request), _now(request, who)
    found = newest(service.store, who, show, before, having=q)
    several = len(service.store.rows("SELECT id FROM keys LIMIT 1")) > 0 and who.admin
    return {
        "rows": found, "several": several, "version": _version(found, now), "show": show, "q": q, "searched": SEARCHED,
        "signs": now.signs.all, "day": now.day, "headline": headline(now.signs.all),
        "uncalibrated": service.policy is None, "texts": service.config.trace_text,
        "before": before, "older": found[-1]["at"] if len(found) == PER_PAGE else None,
        "address": str(request.base_url).rstrip("/") + "/v1", "demo": service.upstreams.replicas[service.config.first][0].local,
    }  # fmt: skip


def _version(rows: Sequence[Row], now: _Now) -> str:
    said = "|".join(f"{r['trace_id']}{r['state']}{r['volunteered']}{r['audited']}" for r in rows)
    return sha256(f"{said}|{now}".encode()).hexdigest()[:16]
