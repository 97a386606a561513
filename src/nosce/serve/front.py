"""The routes that carry the traffic, straight on ASGI; everything else goes on to FastAPI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

from nosce.core.errors import CapabilityError, InputError, JournalError, ModelError, NosceError
from nosce.serve.caller import Rejected
from nosce.serve.exchange import ASGI, CLOSE, Exchange, HungUp, Message, Receive, Refused, Scope, Send
from nosce.serve.routes import completions, embeddings, listing, responses
from nosce.serve.service import Service
from nosce.serve.transport import Failed
from nosce.serve.wire import Malformed

SMALL = 1 << 20
"""The largest body, in bytes, of a request that is not for a model."""

Handler = Callable[[Service, Exchange], Awaitable[None]]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("POST", "/v1/chat/completions"): completions.chat,
    ("POST", "/v1/completions"): completions.text,
    ("POST", "/v1/responses"): responses.create,
    ("POST", "/v1/embeddings"): embeddings.create,
    ("GET", "/v1/models"): listing.models,
}


class Front:
    """Answers the busy routes itself; errors become OpenAI's error bodies, and no route ends in a traceback."""

    def __init__(self, service: Service, rest: ASGI) -> None:
        self._service, self._rest = service, rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            return await self._rest(scope, receive, send)
        handler = HANDLERS.get((scope["method"], scope["path"]))
        exchange = Exchange(scope, receive, send, scope["caller"])
        try:
            await (handler(self._service, exchange) if handler else self._handed_on(exchange))
        except HungUp:
            raise
        except asyncio.CancelledError:
            await _stopped(exchange)
        except Failed:
            raise
        except Exception as error:
            if exchange.started:
                return _told(exchange, error)
            refusal = as_refusal(error)
            await exchange.json(refusal.status, refusal.body, refusal.headers)


    async def _handed_on(self, exchange: Exchange) -> None:
        """The other routes get a body that was read to its end, and is small."""
        body: bytes | None = await exchange.body(SMALL) if exchange.scope["method"] not in ("GET", "HEAD") else b""

        async def receive() -> Message:
            nonlocal body
            if body is None:
                return await exchange.receive()
            whole, body = body, None
            return {"type": "http.request", "body": whole, "more_body": False}

        exchange.started = True  # from here on they answer, errors included
        await self._rest(exchange.scope, receive, exchange.send)


async def _stopped(exchange: Exchange) -> None:
    """The server ends, and so does its patience: 503 where no answer had begun; a stream breaks off, as its client can see."""
    if exchange.started:
        raise Failed("the server was stopped")
    refusal = Refused(503, "the server was stopped before there was an answer", "server_error", code="stopped", headers=CLOSE)
    await exchange.json(refusal.status, refusal.body, refusal.headers)


def _told(exchange: Exchange, error: Exception) -> None:
    """Of what went wrong after an answer had begun: a line where it is known what it was, all of it where not."""
    log = logging.getLogger("nosce.serve")
    if not isinstance(error, NosceError | Refused | Malformed):
        raise error
    log.warning("%s broke off: %s", exchange.path, error.brief if isinstance(error, Rejected) else error)


def as_refusal(error: Exception) -> Refused:
    """An error as an answer that a client can read."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, Rejected):
        return _rejected(error)
    if isinstance(error, Malformed | InputError):
        return Refused(400, str(error))
    if isinstance(error, CapabilityError):
        return Refused(422, str(error), code="not_capable")
    if isinstance(error, ModelError):
        return Refused(502, str(error), "upstream_error", code="upstream_failed")
    if isinstance(error, JournalError):
        return Refused(503, str(error), "server_error", code="journal")
    logging.getLogger("nosce.serve").exception("a request failed")
    return Refused(500, f"the server failed: {type(error).__name__}", "server_error")


def _rejected(error: Rejected) -> Refused:
    """The upstream's own refusal: its status, and its error where it is one."""
    wait = {"retry-after": error.wait} if error.wait else {}
    refusal = Refused(error.status if 400 <= error.status < 600 else 502, str(error), "upstream_error", headers=wait)
    try:
        said = json.loads(error.answer)
    except (ValueError, RecursionError):
        return refusal
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        refusal.body = said
    return refusal
