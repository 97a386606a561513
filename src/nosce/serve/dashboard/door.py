"""The door of the dashboard: who looks, since when, and whether a form was sent from our own page."""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

from fastapi import Request, Response

from nosce.serve.exchange import Refused, too_large
from nosce.serve.keys import Caller
from nosce.serve.service import Service

HOURS = 12
"""How long a login lasts."""

_MOST = 64 << 10  # bytes of a form
_SECRET = "dashboard"  # the row of `meta` that holds the secret of the tokens


class LogIn(Exception):
    """Nobody is logged in; `to` is where to go for that."""

    def __init__(self, path: str) -> None:
        super().__init__("log in first")
        self.to = f"/ui/login?{urlencode({'next': path})}" if path != "/" else "/ui/login"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page. `csrf` is the token that the visitor's forms carry; `fresh`: a visit's cookie that has yet to be set."""

    caller: Caller
    csrf: str
    logged_in: bool
    fresh: str = ""

    @property
    def admin(self) -> bool:
        """Whether all keys' traffic may be seen, and audits labelled."""
        return self.caller.role == "admin"

    def own(self, column: str = "key_id") -> tuple[str, tuple[str, ...]]:
        """A condition of SQL, and its values, that leaves what this visitor may see."""
        return ("1", ()) if self.admin else (f"{column}=?", (self.caller.id,))


def serving(request: Request) -> Service:
    """The running server."""
    service: Service = request.app.state.service
    return service


def visitor(request: Request) -> Visitor:
    """Who looks, by session where keys are set. Raises LogIn where a session is missing, over, or of a revoked key."""
    service, caller = serving(request), request.scope.get("caller")
    session = request.cookies.get(name(request, "session"), "")
    if caller is None:
        caller = _of_session(service, session)
        if caller is None:
            raise LogIn(request.url.path)
        request.scope["caller"] = caller
        return Visitor(caller, _token(service, session), True)
    visit, fresh = _visit(request)
    return Visitor(caller, _token(service, visit), False, visit if fresh else "")


def stranger(request: Request) -> Visitor:
    """Somebody who is not logged in, with a token for the one form that may be sent then."""
    service = serving(request)
    visit, fresh = _visit(request)
    return Visitor(Caller("", "", "user", service.config.limits), _token(service, visit), False, visit if fresh else "")


def admin(who: Visitor) -> Visitor:
    """The visitor. Raises Refused where an administrator is needed."""
    if not who.admin:
        raise Refused(403, "That takes an administrator's key; `nosce serve keys add NAME --admin` makes one.", code="not_admin")
    return who


async def form(request: Request, who: Visitor) -> dict[str, str]:
    """The fields of a form, once its token is checked. Raises Refused (403) without the right one, and when it is too large."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST:
            raise too_large(_MOST)
    try:
        fields = {n: values[-1] for n, values in parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50).items()}
    except ValueError:
        raise Refused(400, "The form could not be read.") from None
    if not hmac.compare_digest(fields.pop("csrf", "").encode(), who.csrf.encode()):
        raise Refused(403, "This form is out of date, or was not sent from here. Open the page again and repeat it.", code="csrf")
    return fields


async def log_in(request: Request, key: str, response: Response) -> bool:
    """Open a session for a key; whether there is such a key. A wrong one waits, longer each time."""
    service = serving(request)
    caller = service.keys.find(key)
    if caller is None:
        await service.keys.wrong(request.client.host if request.client else "?")
        return False
    token, now = secrets.token_urlsafe(32), time.time()
    row = (_kept(token), caller.id, now, now + HOURS * 3600)
    service.store.now(
        [
            ("DELETE FROM sessions WHERE expires < ?", (now,)),
            ("INSERT INTO sessions(digest, key_id, at, expires) VALUES (?,?,?,?)", row),
        ]
    )
    set_cookie(request, response, "session", token, HOURS * 3600)
    return True


def log_out(request: Request, response: Response) -> None:
    """End the session, here and in the browser."""
    token = request.cookies.get(name(request, "session"), "")
    serving(request).store.now([("DELETE FROM sessions WHERE digest=?", (_kept(token),))])
    response.delete_cookie(name(request, "session"), path="/", httponly=True, samesite="strict")


def set_cookie(request: Request, response: Response, what: str, value: str, seconds: int | None = None) -> None:
    """A cookie that no script reads and no other site sends."""
    safe = request.url.scheme == "https"
    response.set_cookie(name(request, what), value, max_age=seconds, path="/", httponly=True, samesite="strict", secure=safe)


def name(request: Request, what: str) -> str:
    """A cookie's name: cookies know no ports, so that two servers on one host need two names."""
    server = request.scope.get("server") or ("", 0)
    return f"nosce-{what}-{server[1]}"


def onward(path: str) -> str:
    """Where to go after the login: a page of the dashboard, and nothing else."""
    return path if path.startswith("/ui/") and not set(path) & set("\\\r\n") and "//" not in path else "/"


def _of_session(service: Service, token: str) -> Caller | None:
    if not token:
        return None
    row = service.store.one("SELECT key_id FROM sessions WHERE digest=? AND expires > ?", _kept(token), time.time())
    return service.keys.of(row["key_id"]) if row else None


def _kept(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _visit(request: Request) -> tuple[str, bool]:
    held = request.cookies.get(name(request, "visit"), "")
    return (held, False) if len(held) >= 32 else (secrets.token_urlsafe(32), True)


def _token(service: Service, of: str) -> str:
    return hmac.new(_secret(service), of.encode(), sha256).hexdigest()


def _secret(service: Service) -> bytes:
    row = service.store.one("SELECT value FROM meta WHERE name=?", _SECRET)
    if row is None:
        service.store.now([("INSERT OR IGNORE INTO meta VALUES (?,?)", (_SECRET, secrets.token_hex(32)))])
        row = service.store.one("SELECT value FROM meta WHERE name=?", _SECRET)
    return bytes.fromhex(row["value"]) if row else b""
