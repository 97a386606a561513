"""Passing a request on as it came, and the answer back as it came."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nosce.serve.caps import capped, check_choices, estimated, most_events
from nosce.serve.exchange import Exchange, Refused
from nosce.serve.transport import Failed, Reply, Streamed
from nosce.serve.upstreams import AGAIN, Replica, Upstreams
from nosce.serve.wire import Body

_KEPT = ("content-type", "retry-after", "x-should-retry", "x-request-id")
_KEPT_STARTS = ("openai-", "x-ratelimit-")
_USAGE = re.compile(rb'"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})')
_TAIL = 8192  # bytes at the end of an answer in which its usage is looked for
_EVENT = b"\ndata:"  # an event's begin, which cannot stand in its JSON
_AROUND = 2  # events of a stream that bring no token
_PARSED = 1 << 20  # answers up to this size are checked to be JSON before they are passed back


@dataclass(slots=True)
class Passed:
    """What became of a request that was passed on."""

    status: int
    alias: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    money: float = 0.0
    error: str = ""


async def pass_on(exchange: Exchange, upstreams: Upstreams, alias: str, path: str, body: Body, done: Passed) -> None:
    """Pass a request on to an alias, and its answer back: streamed at once where a stream was asked for.

    What came of it stands in `done` at every moment. Raises Refused (502) when no replica gave an answer.
    """
    sent, limits = sent_on(exchange), exchange.caller.limits
    check_choices(body.fields, limits.max_tokens, limits.calls)
    change, streams = capped(body.fields, limits.max_tokens, path), body.fields.get("stream") is True
    most = most_events(body.fields, path, limits.max_tokens) if streams else 0
    tried: list[Failed] = []
    busy: set[int] = set()
    for replica, wait in upstreams.tries(alias):
        if id(replica) in busy:
            continue
        if wait:
            await asyncio.sleep(wait)
        call = _Call(exchange, upstreams, replica, replica.base + path, body, body.passed_on(model=replica.model, **change), done)
        try:
            return await (call.streamed(replica.headers(sent), most) if streams else call.whole(replica.headers(sent)))
        except Failed as error:
            replica.ill(str(error))
            tried.append(error)
            if exchange.started:
                raise
            if isinstance(error, Unwell) and error.reply.status == 429:
                busy.add(id(replica))
    await _given_up(exchange, alias, tried, done)


async def _given_up(exchange: Exchange, alias: str, tried: list[Failed], done: Passed) -> None:
    """The last answer that an upstream gave, whatever its status; 502 where none gave any."""
    said = [error.reply for error in tried if isinstance(error, Unwell)]
    if not said:
        why = f"upstream {alias} gave no answer ({tried[-1]})" if tried else f"upstream {alias} cannot be passed on to"
        raise Refused(502, f"{why}; tried {len(tried)} times", "upstream_error", code="upstream_failed")
    done.status, done.error = said[-1].status, str(tried[-1])
    await exchange.whole(said[-1].status, said[-1].body, head(said[-1].headers))


def sent_on(exchange: Exchange) -> dict[str, str]:
    """The caller's headers that go on to an upstream: none that identify it."""
    found = {name: exchange.header(name.encode()) for name in ("accept", "openai-beta", "traceparent")}
    return {name: value for name, value in found.items() if value}


def head(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The upstream's headers that go back to the client."""
    for name, value in headers.items():
        if name in _KEPT or name.startswith(_KEPT_STARTS):
            yield name, value


@dataclass(slots=True)
class _Call:
    """One try with one replica."""

    exchange: Exchange
    upstreams: Upstreams
    replica: Replica
    url: str
    body: Body
    payload: bytes
    done: Passed

    async def whole(self, headers: dict[str, str]) -> None:
        """The answer in one piece."""
        reply = await self.upstreams.transport.post(self.url, self.payload, headers, self.replica.settings.timeout)
        checked(reply)
        self.replica.well()
        counted(self.done, self.replica, reply.status, self.body.fields, reply.body[-_TAIL:])
        await self.exchange.whole(reply.status, reply.body, head(reply.headers))

    async def streamed(self, headers: dict[str, str], most: float) -> None:
        """The answer piece by piece; one with more events than `most` is cut off. What came is counted, however it ends.

        Nothing is passed back before the first byte, so that until then another may stand in for an upstream that breaks off.
        """
        exchange, tail, events, last = self.exchange, b"", 0, b"\n"
        async with self.upstreams.transport.stream(self.url, self.payload, headers, self.replica.settings.timeout) as answer:
            if answer.status in AGAIN:
                raise Unwell(await _gathered(answer))
            usable(answer.status, answer.headers)
            if answer.status < 300 and answer.headers.get("content-type", "").startswith("text/html"):
                raise Failed("the upstream's answer is a page of HTML")
            pieces = answer.pieces()
            piece = await anext(pieces, b"")
            if not piece and answer.status < 300:
                raise Failed("the upstream's stream is empty")
            await exchange.start(answer.status, [*head(answer.headers), ("cache-control", "no-cache")])
            try:
                while piece:
                    tail = (tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
                    events += (last + piece).count(_EVENT)
                    last = tail[1 - len(_EVENT) :]
                    await exchange.piece(piece)
                    if events > most:
                        raise Failed("the upstream streams more tokens than were asked for")
                    piece = await anext(pieces, b"")
            finally:
                counted(self.done, self.replica, answer.status, self.body.fields, tail, events)
            await exchange.piece(b"", more=False)
        self.replica.well()


def usable(status: int, headers: Mapping[str, str]) -> None:
    """Refuse what cannot be passed back: a redirect (none is followed), no status at all, a compressed body. Raises Failed."""
    if not (200 <= status < 300 or 400 <= status < 600):
        raise Failed(f"the upstream answers {status}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Failed("the upstream's answer is compressed, which was not asked for")


def checked(reply: Reply) -> Reply:
    """The reply, unless another try may do better. Raises Failed for such a status and for a success that is no JSON."""
    if reply.status in AGAIN:
        raise Unwell(reply)
    usable(reply.status, reply.headers)
    if reply.status < 300 and len(reply.body) <= _PARSED:
        try:
            json.loads(reply.body)
        except (ValueError, RecursionError):
            raise Failed("the upstream's answer is not JSON") from None
    return reply


class Unwell(Failed):
    """The upstream answered with a status after which another try may do better."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"the upstream answers {reply.status}")
        self.reply = reply


async def _gathered(answer: Streamed) -> Reply:
    parts = [piece async for piece in answer.pieces()]
    return Reply(answer.status, answer.headers, b"".join(parts))


def counted(done: Passed, replica: Replica, status: int, fields: Mapping[str, Any], tail: bytes, events: int = 0) -> None:
    """Note what an answer cost by the upstream's own count; where it gives none, by ours.

    Ours is a token for each event of a stream, and about the tokens of what was sent. A caller that hangs up before the
    count arrives is charged by ours.
    """
    usage = _usage(tail)
    done.status, done.calls = status, 1
    done.prompt_tokens = _count(usage, "prompt_tokens", "input_tokens")
    done.completion_tokens = _count(usage, "completion_tokens", "output_tokens") if usage else max(0, events - _AROUND)
    if not done.prompt_tokens and status < 300:
        done.prompt_tokens = estimated(fields)
    price = replica.settings.price
    done.money = (done.prompt_tokens * price[0] + done.completion_tokens * price[1]) / 1e6


def _usage(tail: bytes) -> dict[str, object]:
    found = _USAGE.findall(tail)
    try:
        usage = json.loads(found[-1]) if found else {}
    except ValueError:
        return {}
    return usage if isinstance(usage, dict) else {}


def _count(usage: Mapping[str, object], *names: str) -> int:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
            return value
    return 0
