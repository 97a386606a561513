"""`/ui/login` and `/ui/logout`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nosce.serve.dashboard.door import HOURS, Visitor, form, log_in, log_out, onward, stranger, visitor
from nosce.serve.dashboard.pages import Page, page

router = APIRouter(route_class=Page)


@router.get("/ui/login")
async def ask(request: Request, to: Annotated[str, Query(alias="next", max_length=200)] = "/") -> Response:
    """Ask for a key; without keys there is nothing to log in to."""
    if request.scope.get("caller") is not None:
        return RedirectResponse("/", 303)
    return page(request, stranger(request), "login.html", to=onward(to), wrong=False, hours=HOURS)


@router.post("/ui/login")
async def enter(request: Request) -> Response:
    """Let the owner of a key in."""
    who = stranger(request)
    fields = await form(request, who)
    to = onward(fields.get("next", "/"))
    answer = RedirectResponse(to, 303)
    if await log_in(request, fields.get("key", "").strip(), answer):
        return answer
    refused: HTMLResponse = page(request, who, "login.html", 401, to=to, wrong=True, hours=HOURS)
    return refused


@router.post("/ui/logout")
async def leave(request: Request, who: Annotated[Visitor, Depends(visitor)]) -> Response:
    """End the session."""
    await form(request, who)
    answer = RedirectResponse("/ui/login", 303)
    log_out(request, answer)
    return answer
