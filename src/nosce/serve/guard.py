"""The door: which hosts, which origins, which keys."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from nosce.core.errors import JournalError
from nosce.serve.config import LOOPBACK, Config
from nosce.serve.exchange import ASGI, CLOSE, Exchange, HungUp, Receive, Refused, Scope, Send
from nosce.serve.keys import Caller, Keys
from nosce.serve.transport import Failed

_READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Refuses hosts that are not this server's, requests forged by other sites, and callers without a key.

    `pages` are paths of the dashboard, which looks after its own login. What passes goes on with `scope["caller"]` set.
    """

    def __init__(self, inside: ASGI, config: Config, keys: Keys, pages: tuple[str, ...] = ("/", "/ui/")) -> None:
        self._inside, self._keys, self._pages = inside, keys, pages
        self._hosts = {*LOOPBACK, *config.hosts} if config.local or config.hosts else set()
        self._open = config.local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            return await self._inside(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        try:
            scope["caller"] = await self._admitted(scope)
        except (Refused, JournalError) as said:
            error = said if isinstance(said, Refused) else Refused(503, str(said), "server_error", code="journal")
            exchange = Exchange(scope, receive, send, self._keys.nobody)
            unread = {} if scope["method"] in _READING else CLOSE
            return await exchange.json(error.status, error.body, {**error.headers, **unread})
        try:
            await self._inside(scope, receive, send)
        except HungUp:
            return None
        except Failed as error:  # in the middle of a stream: the server cuts the connection, so that the client sees it broke
            logging.getLogger("nosce.serve").warning("a stream was cut off: %s", error)

    async def _admitted(self, scope: Scope) -> Caller | None:
        headers = dict(scope["headers"])
        self._check_host(headers.get(b"host", b"").decode("latin-1"))
        if scope["method"] not in _READING:
            _check_origin(headers)
        said = headers.get(b"authorization", b"").decode("latin-1")
        return await self._caller(said, str(scope["path"]), (scope.get("client") or ("?",))[0])

    def _check_host(self, host: str) -> None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
        if self._hosts and name.lower() not in self._hosts:
            raise Refused(421, "this server does not go by that host name", code="wrong_host")

    async def _caller(self, said: str, path: str, address: str) -> Caller | None:
        if not self._keys.any and self._open:
            return self._keys.nobody
        if path == self._pages[0] or path.startswith(self._pages[1:]):
            return None
        scheme, _, key = said.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Refused(401, "send a key of this server as `Authorization: Bearer …`", code="missing_api_key", headers=_CHALLENGE)
        if (caller := self._keys.find(key.strip())) is None:
            await self._keys.wrong(address)
            raise Refused(401, "this server does not know that key", code="invalid_api_key", headers=_CHALLENGE)
        return caller


_CHALLENGE = {"www-authenticate": "Bearer"}


def _check_origin(headers: dict[bytes, bytes]) -> None:
    """A browser says where a request comes from: another site's is refused, whatever it carries."""
    origin, host = headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1")
    site = headers.get(b"sec-fetch-site", b"none").decode("latin-1")
    if site not in ("none", "same-origin") or (origin and _place(origin) != host):
        raise Refused(403, "a request from another site", code="cross_site")


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
