"""`/ui/audit`: the inbox of answers drawn by chance, each waiting for somebody to say whether it is right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from sqlite3 import Row
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.serve.conversation import turns
from nosce.serve.dashboard.door import Visitor, admin, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.exchange import Refused
from nosce.serve.routes import feedback
from nosce.serve.store import Store

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
VERDICTS = {"right": 1.0, "half": 0.5, "wrong": 0.0}


@router.get("/ui/audit")
def inbox(request: Request, who: Who, trace: Annotated[str, Query(max_length=64)] = "") -> HTMLResponse:
    """The next answer to judge. How sure the model was is not shown, so that it cannot sway the judge."""
    service = serving(request)
    if not who.admin:
        return page(request, who, "audit.html", room="audit", allowed=False)
    service.inquire()
    counts = {row["state"]: row["n"] for row in service.store.rows("SELECT state, COUNT(*) AS n FROM audit GROUP BY state")}
    item = _next(service.store, trace)
    return page(
        request, who, "audit.html", room="audit", allowed=True, item=item, turns=_turns(item), counts=counts,
        withheld=item is not None and _data(item).get("outcome") != "answered", share=service.config.audit,
        recent=_recent(service.store), memory=service.lessons is not None, risk=service.config.risk,
    )  # fmt: skip


@router.get("/ui/audit/export")
def export(request: Request, who: Who) -> Response:
    """What waits, one JSON object a line, to be labelled elsewhere: fill in `score` and hand it to `nosce serve audit label`."""
    admin(who)
    rows = serving(request).store.rows("SELECT trace_id, at, question, answer, raw FROM audit WHERE state='open' ORDER BY at")
    lines = "".join(json.dumps({**dict(row), "score": None}, ensure_ascii=False) + "\n" for row in rows)
    named = {"content-disposition": 'attachment; filename="to-label.jsonl"'}
    return Response(lines, media_type="application/x-ndjson", headers=named)


@router.post("/ui/audit/{trace_id}")
async def judge(trace_id: str, request: Request, who: Who) -> Response:
    """Label an answer, skip it, or take a label or a skip back."""
    fields = await form(request, admin(who))
    verdict, store = fields.get("verdict", ""), serving(request).store
    if verdict in VERDICTS:
        label: dict[str, Any] = {"score": VERDICTS[verdict]}
        if (better := fields.get("better", "").strip()) and "right_answer" in feedback.Label.model_fields:
            label["right_answer"] = better
        await asyncio.to_thread(feedback.label, trace_id, feedback.Label(**label), request)
        return RedirectResponse("/ui/audit", 303)
    states = {"skip": ("skipped", "open"), "again": ("open", "skipped")}
    if verdict not in states:
        raise Refused(400, "Say right, half, wrong or skip.")
    after, before = states[verdict]
    if not store.now([("UPDATE audit SET state=? WHERE trace_id=? AND state=?", (after, trace_id, before))]):
        raise Refused(404, "No such answer waits for a label.")
    return RedirectResponse("/ui/audit" if verdict == "skip" else f"/ui/audit?trace={trace_id}", 303)


def _next(store: Store, trace_id: str) -> Row | None:
    """The answer that is named, to be judged (again); else the oldest that waits."""
    named = store.one("SELECT * FROM audit WHERE trace_id=?", trace_id) if trace_id else None
    return named or store.one("SELECT * FROM audit WHERE state='open' ORDER BY at LIMIT 1")


def _recent(store: Store) -> list[Row]:
    return store.rows(
        "SELECT trace_id, question, answer, score, state, labelled FROM audit WHERE state<>'open' "
        "ORDER BY COALESCE(labelled, at) DESC LIMIT 8"
    )


def _data(item: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(item["data"] or "{}")
    return found


def _turns(item: Row | None) -> list[tuple[str, str]]:
    """The conversation as (who, what); empty where no text was kept."""
    return [] if item is None or not item["question"] else list(_spoken(json.loads(item["question"])))


def _spoken(asked: Any) -> Iterator[tuple[str, str]]:
    if isinstance(asked, list) and all(isinstance(m, dict) for m in asked):
        yield from ((m.role, m.content) for m in turns(asked))
    elif asked is not None:
        yield "user", asked if isinstance(asked, str) else json.dumps(asked, ensure_ascii=False)
