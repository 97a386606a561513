"""`/ui/trace/…`: how one answer came about."""

from __future__ import annotations

import contextlib
import json
from sqlite3 import Row
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.core.errors import JournalError
from nosce.core.trace import Trace
from nosce.report.trace_tree import tree, votes
from nosce.serve.dashboard.door import Visitor, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.exchange import Refused
from nosce.serve.routes import feedback

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]


@router.get("/ui/trace/{trace_id}")
async def trace(trace_id: str, request: Request, who: Who) -> HTMLResponse:
    """One answer: what was sampled, measured and decided, and why."""
    store = serving(request).store
    with contextlib.suppress(JournalError):
        await store.durable()
    asked = _of(request, who, trace_id)
    kept = store.one("SELECT trace FROM traces WHERE trace_id=?", trace_id)
    found = Trace.from_json(kept["trace"]) if kept else None
    return page(
        request, who, "trace.html", room="traffic", r=asked, nodes=tree(found) if found else [], **_read(found),
        said=json.loads(asked["data"]) if asked["data"] else None, mine=asked["key_id"] == who.caller.id,
        given=store.one("SELECT score, at FROM feedback WHERE trace_id=?", trace_id),
        audit=store.one("SELECT state, score FROM audit WHERE trace_id=?", trace_id) if who.admin else None,
    )  # fmt: skip


@router.post("/ui/trace/{trace_id}/feedback")
async def feed_back(trace_id: str, request: Request, who: Who) -> Response:
    """Say that an answer was right or wrong."""
    fields = await form(request, who)
    if fields.get("correct") not in ("yes", "no"):
        raise Refused(400, "Say whether it was right: yes or no.")
    _of(request, who, trace_id)
    await feedback.feedback(feedback.Feedback(trace_id=trace_id, correct=fields["correct"] == "yes"), request)
    return RedirectResponse(f"/ui/trace/{trace_id}", 303)


@router.post("/ui/trace/{trace_id}/forget")
async def forget(trace_id: str, request: Request, who: Who) -> Response:
    """Delete all that is kept of an answer."""
    await form(request, who)
    await feedback.forget(trace_id, request)
    return RedirectResponse("/", 303)


def _of(request: Request, who: Visitor, trace_id: str) -> Row:
    """The request under that name, if this visitor may see it. Raises Refused: for others' as for none at all."""
    where, values = who.own("r.key_id")
    found = serving(request).store.one(
        "SELECT r.*, COALESCE(k.name, r.key_id) AS key_name FROM requests r LEFT JOIN keys k ON k.id = r.key_id "
        f"WHERE r.trace_id=? AND {where}", trace_id, *values,
    )  # fmt: skip
    if found is None:
        raise Refused(404, "No request of yours has that name. It may have been forgotten, or belong to another key.")
    return found


def _read(trace: Trace | None) -> dict[str, Any]:
    """Whether texts were kept; the question and the votes where they were; how many nodes of each kind there are."""
    if trace is None:
        return {"texts": False, "question": "", "votes": [], "kinds": []}
    texts = any("text" in e.data.get("sample", {}) for e in trace.of("sampled"))
    first = next((str(e.data["asked"]) for e in trace.of("sampled") if e.data.get("asked")), "")
    counted = [(kind, sum(e.kind == kind for e in trace.events)) for kind in ("sampled", "used", "measured", "decided")]
    return {
        "texts": texts, "question": first, "votes": votes(trace) if texts else [],
        "kinds": [(kind, n) for kind, n in counted if n],
    }  # fmt: skip

