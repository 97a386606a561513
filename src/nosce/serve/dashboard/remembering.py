"""`/ui/memory`: what was learned, from which answer, how far it is trusted, and who says so."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.serve.dashboard.door import Visitor, admin, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.exchange import Refused
from nosce.serve.lesson import State
from nosce.serve.lessons import Lessons

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
STATES: tuple[State, ...] = ("proposed", "approved", "rejected")


@router.get("/ui/memory")
def memory(request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "") -> HTMLResponse:
    """The lessons: a key's own; all for an administrator, who approves and rejects."""
    service = serving(request)
    where, values = who.own()
    counted = service.store.rows(f"SELECT state, COUNT(*) AS n FROM lessons WHERE {where} GROUP BY state", *values)
    counts = {row["state"]: row["n"] for row in counted if row["state"] in STATES}
    state: State = next((s for s in STATES if s == show), next((s for s in STATES if counts.get(s)), "proposed"))
    names = {row["id"]: row["name"] for row in service.store.rows("SELECT id, name FROM keys")}
    found = Lessons(service.store).lessons(None if who.admin else who.caller.id, state=state)
    return page(
        request, who, "memory.html", room="memory", lessons=found, counts=counts, states=STATES, show=state, names=names,
        on=service.lessons is not None,
    )  # fmt: skip


@router.post("/ui/memory/{number}")
async def decide(number: int, request: Request, who: Who) -> Response:
    """Approve, reject or delete a lesson. Deleting is also its own key's right."""
    fields = await form(request, who)
    service, verdict = serving(request), fields.get("verdict")
    book = service.lessons or Lessons(service.store, service.config.memory.keep_days)
    if verdict == "forget":
        if not book.forget(number, None if who.admin else who.caller.id):
            raise Refused(404, "There is no such lesson of yours.")
    elif verdict in ("approve", "reject"):
        (book.approve if verdict == "approve" else book.reject)(number, admin(who).caller.id)
    else:
        raise Refused(400, "Say approve, reject or forget.")
    back = fields.get("show", "")
    return RedirectResponse(f"/ui/memory?show={back}" if back in STATES else "/ui/memory", 303)
