"""From what a page shows to the page: templates, headers, and errors that a reader can act on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from nosce.report import text
from nosce.serve.dashboard import said
from nosce.serve.dashboard.door import LogIn, Visitor, set_cookie, stranger

if TYPE_CHECKING:
    from jinja2 import Environment

SAFE = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-frame-options": "DENY", "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin", "cache-control": "no-store",
}  # fmt: skip
"""Headers of every page: nothing from elsewhere, nothing inline, in nobody's frame, kept by nobody.

Referrers go to ourselves alone; without any a browser would call the origin of our own forms `null`, and the guard refuse it.
"""

ROOMS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    ("Now", (("traffic", "/", "Traffic", "t"), ("playground", "/ui/playground", "Playground", "p"))),
    ("Is it true?", (("confidence", "/ui/confidence", "Confidence", "c"), ("audit", "/ui/audit", "Audit", "a"),
                     ("drift", "/ui/drift", "Drift", "d"))),
    ("What it costs", (("tokens", "/ui/tokens", "Tokens", "s"), ("decisions", "/ui/decisions", "Decisions", "e"))),
    ("What it learns", (("memory", "/ui/memory", "Memory", "m"),)),
)  # fmt: skip
"""The pages by what one wants to know: name, path, title, and the key that goes there after `g`."""

KINDS = {"style.css": "text/css", "dashboard.js": "text/javascript", "mark.svg": "image/svg+xml"}


class Page(APIRoute):
    """A route whose every answer carries SAFE, and whose refusals are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook."""
        inside = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                answer = await inside(request)
            except LogIn as error:
                answer = _to_login(request, error)
            except Exception as error:
                answer = _refusal(request, error)
            for header, value in SAFE.items():
                answer.headers.setdefault(header, value)
            return answer

        return handler


def page(request: Request, who: Visitor, template: str, status: int = 200, **content: Any) -> HTMLResponse:
    """A page for a visitor; `room` in `content` marks the place in the menu."""
    theme = request.cookies.get("nosce_theme", "")
    made = environment().get_template(template).render(
        who=who, rooms=ROOMS, theme=theme if theme in ("light", "dark") else "", **content
    )
    answer = HTMLResponse(made, status)
    if who.fresh:
        set_cookie(request, answer, "visit", who.fresh)
    return answer


def fragment(template: str, **content: Any) -> str:
    """A part of a page."""
    return str(environment().get_template(template).render(**content))


def asset(name: str) -> Response:
    """A file of the dashboard's own; its address holds its digest, so it may be kept."""
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(_read(name), media_type=f"{KINDS[name]}; charset=utf-8", headers=kept)


@lru_cache
def environment() -> Environment:
    """The templates, with everything escaped that is not said to be safe."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("nosce.serve.dashboard")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals |= {"digest": digest, "zone": said.zone}
    made.filters |= {
        "shown": text.shown, "brief": text.brief, "percent": text.percent, "count": text.count, "duration": said.seconds,
        "moment": said.moment, "iso": said.iso, "ago": said.ago, "money": said.money, "points": said.points, "short": said.short,
        "sureness": said.sureness, "question": said.question, "stamp": said.stamp, "worded": said.worded, "clipped": said.clipped,
    }  # fmt: skip
    return made


@lru_cache
def digest(name: str) -> str:
    """The first characters of a file's SHA-256."""
    return sha256(_read(name)).hexdigest()[:12]


@lru_cache
def _read(name: str) -> bytes:
    return files("nosce.serve.dashboard").joinpath(f"static/{name}").read_bytes()


def _to_login(request: Request, error: LogIn) -> Response:
    """Readers are shown to the login; what runs in the background, and forms, are told that they may not."""
    if request.method == "GET" and request.headers.get("x-nosce", "") == "":
        return RedirectResponse(error.to, 303)
    why = {"title": "You are not logged in", "why": "Log in and repeat it.", "to": error.to}
    return page(request, stranger(request), "refused.html", 401, **why)


def _refusal(request: Request, error: Exception) -> Response:
    from nosce.serve.front import as_refusal

    if isinstance(error, HTTPException):
        status, why = error.status_code, str(error.detail)
    elif isinstance(error, RequestValidationError):
        status, why = 400, "This address holds something that is not understood."
    else:
        refusal = as_refusal(error)
        status, why = refusal.status, str(refusal)
    titles = {403: "Not allowed", 404: "There is nothing here", 413: "Too large", 503: "It cannot be written down"}
    return page(request, stranger(request), "refused.html", status, title=titles.get(status, "That did not work"), why=why, to="/")
