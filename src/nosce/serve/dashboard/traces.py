"""`/ui/trace/…`: how one answer came about."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import Row
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.core.errors import JournalError
from nosce.core.trace import Trace
from nosce.report.text import brief
from nosce.report.trace_tree import Node, tree, votes
from nosce.serve.dashboard.door import Visitor, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.exchange import Refused
from nosce.serve.routes import feedback

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
ALIKE, SHOWN, MOST = 5, 3, 24
"""Samples in a row from which on all but the first SHOWN are folded; siblings after which the rest is."""


@dataclass(frozen=True, slots=True)
class Twig:
    """What stands at one place of the tree: a node with its branch, or a fold of several, which says what is in it."""

    node: Node | None
    branch: list[Twig]
    says: str = ""


def folded(nodes: Sequence[Node]) -> list[Twig]:
    """The nodes, with long runs of samples folded: only childless ones of one act, so that nothing decided is out of sight."""
    made = list[Twig]()
    for key, run in groupby(nodes, key=_sort):
        members = [Twig(node, folded(node.children)) for node in run]
        few = SHOWN if key and len(members) >= ALIKE else len(members)
        made += members[:few]
        if rest := members[few:]:
            made.append(Twig(None, rest, f"{len(rest)} more of {key}: {_told(rest)}"))
    if len(made) > MOST + 4:
        rest = made[MOST:-2]
        made = [*made[:MOST], Twig(None, rest, f"{len(rest)} more steps"), *made[-2:]]
    return made


def _sort(node: Node) -> str:
    return node.head.partition(" → ")[0] if node.kind == "sampled" and not node.children else ""


def _told(twigs: list[Twig]) -> str:
    """`9 × 12, 4 × 13, 2 × others` of the answers in a fold."""
    heads = Counter(twig.node.head.partition(" → ")[2] or "no answer" for twig in twigs if twig.node)
    shown = heads.most_common(4)
    others = heads.total() - sum(n for _, n in shown)
    return ", ".join([*(f"{n} × {brief(answer, 24)}" for answer, n in shown), *([f"{others} × others"] if others else [])])


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
        request, who, "trace.html", room="traffic", r=asked, nodes=folded(tree(found)) if found else [], **_read(found),
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
    """Whether texts were kept; question, answer and votes where they were; the last decision; how many nodes of each kind."""
    if trace is None:
        return {"texts": False, "question": "", "answer": None, "votes": [], "kinds": [], "decision": None}
    texts = any("text" in e.data.get("sample", {}) for e in trace.of("sampled"))
    asked = [e for e in trace.of("sampled") if e.data.get("asked")]
    first = next((e for e in asked if e.data.get("act") in ("think", "direct")), asked[0] if asked else None)
    counted = [(kind, sum(e.kind == kind for e in trace.events)) for kind in ("sampled", "used", "measured", "decided", "failed")]
    return {
        "texts": texts, "question": str(first.data["asked"]) if first else "", "votes": votes(trace) if texts else [],
        "answer": next((e.data.get("value") for e in trace.of("answered")), None),
        "decision": next((e.data for e in reversed(list(trace.of("decided")))), None),
        "kinds": [(kind, n) for kind, n in counted if n],
    }  # fmt: skip


@router.get("/ui/trace/{trace_id}/json")
async def whole(trace_id: str, request: Request, who: Who) -> Response:
    """The trace as it is kept, to be read elsewhere: `nosce.core.trace.Trace.from_json` takes it."""
    _of(request, who, trace_id)
    kept = serving(request).store.one("SELECT trace FROM traces WHERE trace_id=?", trace_id)
    if kept is None:
        raise Refused(404, "No trace is kept of this request.")
    named = {"content-disposition": f'attachment; filename="trace-{trace_id}.json"'}
    return Response(kept["trace"], media_type="application/json", headers=named)


@router.get("/ui/trace/{trace_id}/state")
async def state(trace_id: str, request: Request, who: Who) -> Response:
    """How far a request is, for a page that waits for its end."""
    return Response(str(_of(request, who, trace_id)["state"]), media_type="text/plain")
