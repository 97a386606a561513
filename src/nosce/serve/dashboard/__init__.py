"""The dashboard: pages at `/` and under `/ui/`, in the same process."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from nosce.serve.dashboard import (
    auditing,
    decisions,
    drifting,
    login,
    playing,
    remembering,
    spending,
    traces,
    traffic,
    truth,
)
from nosce.serve.dashboard.door import Visitor, visitor
from nosce.serve.dashboard.pages import KINDS, Page, asset
from nosce.serve.exchange import Refused

ROOMS = (traffic, traces, truth, spending, decisions, drifting, auditing, remembering, playing, login)


def dashboard() -> APIRouter:
    """The dashboard's routes; they find what the server knows in `request.app.state.service`."""
    router = APIRouter(include_in_schema=False, route_class=Page)
    for room in ROOMS:
        router.include_router(room.router)

    @router.get("/ui/static/{name}")
    async def static(name: str) -> Response:
        if name not in KINDS:
            raise Refused(404, "The dashboard has no such file.")
        return asset(name)

    @router.api_route("/ui/{rest:path}", methods=["GET", "POST"])
    async def nothing(rest: str, request: Request, who: Annotated[Visitor, Depends(visitor)]) -> Response:
        raise Refused(404, "The dashboard has no such page.")

    return router
