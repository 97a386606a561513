"""Passing a request on as it came, and the answer back as it came."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.transport import Failed, Reply, Streamed
from nosce.serve.upstreams import AGAIN, Replica, Upstreams
from nosce.serve.wire import Body

_KEPT = ("content-type", "retry-after", "x-should-retry", "x-request-id")
_KEPT_STARTS = ("openai-", "x-ratelimit-")
_USAGE = re.compile(rb'"usage"\s*:\s*(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})')
_TAIL = 8192  # bytes at the end of an answer in which its usage is looked for
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


async def pass_on(exchange: Exchange, upstreams: Upstreams, alias: str, path: str, body: Body, cap: int | None) -> Passed:
    """Pass a request on to an alias, and its answer back: streamed at once where a stream was asked for.

    `cap`: the most completion tokens that may be asked for. Raises Refused (502) when no replica gave an answer.
    """
    sent = sent_on(exchange)
    tried: list[Failed] = []
    busy: set[int] = set()
    for replica, wait in upstreams.tries(alias):
        if id(replica) in busy:
            continue
        if wait:
            await asyncio.sleep(wait)
        payload = body.passed_on(model=replica.model, **capped(body, cap))
        send = _streamed if body.fields.get("stream") is True else _whole
        try:
            return await send(exchange, upstreams, replica, replica.base + path, payload, replica.headers(sent))
        except Failed as error:
            replica.ill(str(error))
            tried.append(error)
            if exchange.started:
                raise
            if isinstance(error, Unwell) and error.reply.status == 429:
                busy.add(id(replica))
    return await _given_up(exchange, alias, tried)


async def _given_up(exchange: Exchange, alias: str, tried: list[Failed]) -> Passed:
    """The last answer that an upstream gave, whatever its status; 502 where none gave any."""
    said = [error.reply for error in tried if isinstance(error, Unwell)]
    if not said:
        why = f"upstream {alias} gave no answer ({tried[-1]})" if tried else f"upstream {alias} cannot be passed on to"
        raise Refused(502, f"{why}; tried {len(tried)} times", "upstream_error", code="upstream_failed")
    await exchange.whole(said[-1].status, said[-1].body, head(said[-1].headers))
    return Passed(said[-1].status, alias, calls=0, error=str(tried[-1]))


def sent_on(exchange: Exchange) -> dict[str, str]:
    """The caller's headers that go on to an upstream: none that identify it."""
    found = {name: exchange.header(name.encode()) for name in ("accept", "openai-beta", "traceparent")}
    return {name: value for name, value in found.items() if value}


def capped(body: Body, cap: int | None) -> dict[str, int]:
    """The change that keeps a request's completion within `cap` tokens."""
    if cap is None:
        return {}
    names = [n for n in ("max_completion_tokens", "max_tokens", "max_output_tokens") if body.fields.get(n) is not None]
    over = {n: cap for n in names if not isinstance(body.fields[n], int) or body.fields[n] > cap}
    missing = "max_output_tokens" if "input" in body.fields and "messages" not in body.fields else "max_tokens"
    return over if names else {missing: cap}


def head(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The upstream's headers that go back to the client."""
    for name, value in headers.items():
        if name in _KEPT or name.startswith(_KEPT_STARTS):
            yield name, value


async def _whole(
    exchange: Exchange, upstreams: Upstreams, replica: Replica, url: str, payload: bytes, headers: dict[str, str]
) -> Passed:
    reply = await upstreams.transport.post(url, payload, headers, replica.settings.timeout)
    checked(reply)
    replica.well()
    await exchange.whole(reply.status, reply.body, head(reply.headers))
    return counted(replica, reply.status, reply.body[-_TAIL:])


def checked(reply: Reply) -> Reply:
    """The reply, unless another try may do better. Raises Failed for such a status and for a success that is no JSON."""
    if reply.status in AGAIN:
        raise Unwell(reply)
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


async def _streamed(
    exchange: Exchange, upstreams: Upstreams, replica: Replica, url: str, payload: bytes, headers: dict[str, str]
) -> Passed:
    async with upstreams.transport.stream(url, payload, headers, replica.settings.timeout) as answer:
        if answer.status in AGAIN:
            raise Unwell(await _gathered(answer))
        await exchange.start(answer.status, [*head(answer.headers), ("cache-control", "no-cache")])
        tail, events = b"", 0
        async for piece in answer.pieces():
            await exchange.piece(piece)
            tail = (tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
            events += piece.count(b"data:")
        await exchange.piece(b"", more=False)
    replica.well()
    return counted(replica, answer.status, tail, events)


async def _gathered(answer: Streamed) -> Reply:
    parts = [piece async for piece in answer.pieces()]
    return Reply(answer.status, answer.headers, b"".join(parts))


def counted(replica: Replica, status: int, tail: bytes, events: int = 0) -> Passed:
    """What an answer cost by the upstream's own count; a stream that gives none counts a token for each of its events."""
    usage = _usage(tail)
    prompt = _count(usage, "prompt_tokens", "input_tokens")
    completion = _count(usage, "completion_tokens", "output_tokens") if usage else max(0, events - 2)
    money = (prompt * replica.settings.price[0] + completion * replica.settings.price[1]) / 1e6
    return Passed(status, replica.alias, prompt, completion, 1, money)


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
