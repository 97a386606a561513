"""The dashboard: pages at `/` and under `/ui/`, in the same process."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
}  # fmt: skip


def dashboard() -> APIRouter:
    """The dashboard's routes; they find what the server knows in `request.app.state.service`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def front() -> HTMLResponse:
        page = "<!doctype html><html lang=en><title>Nosce</title><h1>Nosce</h1><p>The API is at <code>/v1</code>.</html>"
        return HTMLResponse(page, headers=_HEADERS)

    return router
