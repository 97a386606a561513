"""`/v1/lessons`: what was learned, and who decides about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from nosce.serve.exchange import Refused
from nosce.serve.lessons import Lessons
from nosce.serve.routes.feedback import serving, who

router = APIRouter(prefix="/v1", tags=["lessons"])
Number = Annotated[int, Path(ge=1, lt=2**31)]


class Decision(BaseModel):
    """What becomes of a lesson."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["approved", "rejected"]


@router.get("/lessons")
def listed(
    request: Request, state: Literal["proposed", "approved", "rejected"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """The lessons of the key that asks; an administrator sees every key's."""
    caller = who(request)
    found = _book(request).lessons(None if caller.role == "admin" else caller.id, state=state, limit=limit)
    return {"object": "list", "data": [asdict(lesson) for lesson in found]}


@router.post("/lessons/{number}")
def decided(number: Number, given: Decision, request: Request) -> dict[str, Any]:
    """Approve or reject a lesson."""
    book, caller = _book(request), who(request, admin=True)
    if book.lesson(number) is None:
        raise Refused(404, "there is no such lesson", code="unknown_lesson")
    (book.approve if given.state == "approved" else book.reject)(number, caller.id)
    return {"id": number, "state": given.state}


@router.delete("/lessons/{number}")
def forgotten(number: Number, request: Request) -> dict[str, Any]:
    """Delete a lesson of this key; an administrator deletes any."""
    caller = who(request)
    if not _book(request).forget(number, None if caller.role == "admin" else caller.id):
        raise Refused(404, "this key has no such lesson", code="unknown_lesson")
    return {"id": number, "deleted": True}


def _book(request: Request) -> Lessons:
    service = serving(request)
    return service.lessons or Lessons(service.store, service.config.memory.keep_days)
