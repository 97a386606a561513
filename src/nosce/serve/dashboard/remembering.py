"""`/ui/memory`: what was learned, who says so, and all that one needs to decide about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.core.problem import Message
from nosce.serve.conversation import turns
from nosce.serve.dashboard.door import Visitor, admin, form, serving, visitor
from nosce.serve.dashboard.pages import Page, page
from nosce.serve.exchange import Refused
from nosce.serve.lesson import Lesson, State, alike
from nosce.serve.lessons import Lessons

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
SHOWN = 50
"""Lessons on one page."""

STATES: tuple[State, ...] = ("proposed", "approved", "rejected")


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a lesson for whoever decides.

    before: the turns before the question, where a lie may have been put. said: the model's own answer, where the lesson is the
    asker's. times: how often the question was asked, in any words. agreed, of: how often this key's feedback agreed with audits.
    against, alike: other lessons about the question that say something else, or the same.
    """

    before: tuple[Message, ...]
    said: str | None
    times: int
    agreed: int
    of: int
    against: Sequence[Lesson]
    alike: Sequence[Lesson]

    @classmethod
    def find(cls, book: Lessons, lesson: Lesson) -> Beside:
        """Look it up."""
        about = (lesson.key_id, lesson.frame, lesson.gist)
        asked = book.store.rows(
            "SELECT trace_id, origin, text, turns FROM lessons WHERE key_id=? AND frame=? AND gist=? AND gist<>''", *about
        )
        own = [row for row in asked if row["trace_id"] == lesson.trace_id]
        kept = next((row["turns"] for row in own), "[]")
        said = next((row["text"] for row in own if row["origin"] != "asker"), None) if lesson.origin == "asker" else None
        others, (agreed, of) = book.rivals(lesson), book.record(lesson.key_id)
        same = [other for other in others if alike(other.text, lesson.text)]
        return cls(
            turns(json.loads(kept))[:-1], said, len({row["trace_id"] for row in asked}), agreed, of,
            [other for other in others if other not in same], same,
        )  # fmt: skip


@router.get("/ui/memory")
def memory(request: Request, who: Who, show: Annotated[str, Query(max_length=20)] = "") -> HTMLResponse:
    """The lessons: a key's own; all for an administrator, who approves and rejects."""
    service = serving(request)
    where, values = who.own()
    counted = service.store.rows(f"SELECT state, COUNT(*) AS n FROM lessons WHERE {where} GROUP BY state", *values)
    counts = {row["state"]: row["n"] for row in counted if row["state"] in STATES}
    state: State = next((s for s in STATES if s == show), next((s for s in STATES if counts.get(s)), "proposed"))
    names = {row["id"]: row["name"] for row in service.store.rows("SELECT id, name FROM keys")}
    book = Lessons(service.store)
    found = book.lessons(None if who.admin else who.caller.id, state=state, limit=SHOWN)
    return page(
        request, who, "memory.html", room="memory", lessons=[(lesson, Beside.find(book, lesson)) for lesson in found],
        counts=counts, states=STATES, show=state, names=names, on=service.lessons is not None,
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
