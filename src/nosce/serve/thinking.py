"""Carrying out a strategy for a request, from its begin to its end in the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nosce.core.cost import Budget
from nosce.core.errors import InputError
from nosce.core.streams import fingerprint
from nosce.models.base import Model
from nosce.serve.answering import answered
from nosce.serve.asking import ask
from nosce.serve.caller import Caller, Rejected
from nosce.serve.caps import capped, estimated
from nosce.serve.exchange import CUT_OFF, Exchange, HungUp, Refused
from nosce.serve.passthrough import Passed, sent_on
from nosce.serve.remembering import Recalled, recalled
from nosce.serve.replying import Result
from nosce.serve.routes.asked import Asked
from nosce.serve.servable import served
from nosce.serve.service import Service
from nosce.serve.settings import Settings, budget, read

Render = Callable[[Result], dict[str, Any]]


@dataclass(slots=True)
class Question:
    """A request that is to be thought about: checked, with everything that it takes."""

    service: Service
    exchange: Exchange
    asked: Asked
    body: dict[str, Any]
    settings: Settings
    budget: Budget
    roster: dict[str, Model]
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    async def answer(self) -> Result:
        """Think. Raises what `answered` raises."""
        recalled = await asyncio.to_thread(self._recalled)
        return await answered(
            self.roster, self.body, self.settings, trace_id=self.exchange.trace_id, budget=self.budget, policy=self._policy(),
            watch=self.events.put_nowait, recalled=recalled,
        )  # fmt: skip

    def _recalled(self) -> Recalled | None:
        book, memory = self.service.lessons, self.service.config.memory
        if book is None or self.settings.strategy != "auto":
            return None
        return recalled(book, self.exchange.caller.id, self.body, self.roster["main"].dialect, memory.most)

    def _policy(self) -> Any:
        return self.service.deciding() if self.asked.alias == self.service.config.first else None


def question(service: Service, exchange: Exchange, asked: Asked, body: dict[str, Any]) -> Question:
    """Check the request and put together what answers it. Raises InputError or Refused before anything is spent."""
    _check_shape(body)
    settings = read({**asked.settings, "strategy": asked.strategy})
    if settings.risk is None and service.config.risk is not None:
        settings = settings.model_copy(update={"risk": service.config.risk})
    served(settings.strategy)
    limits = exchange.caller.limits
    body = {**body, **capped(body, limits.max_tokens, "/chat/completions")}
    roster = {"main": _model(service, exchange, asked.alias, body)}
    strong = service.config.strong
    if strong is not None and strong != asked.alias:
        roster["strong"] = _model(service, exchange, strong, body)
    return Question(service, exchange, asked, body, settings, budget(settings, body.get("reasoning_effort"), limits), roster)


def _check_shape(body: Mapping[str, Any]) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise InputError("messages: expected a list of at least one message")
    n = body.get("n", 1)
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 32):
        raise InputError(f"n={n!r}: expected 1 to 32")


def _model(service: Service, exchange: Exchange, alias: str, body: Mapping[str, Any]) -> Model:
    replica = service.upstreams.replicas[alias][0]
    if not replica.base:
        return service.bundled(replica.settings.model)
    headers = sent_on(exchange)
    headers.pop("accept", None)

    async def asks(sent: dict[str, Any]) -> dict[str, Any]:
        return await ask(service.upstreams, alias, sent, headers)

    version = fingerprint(replica.model, replica.base, size=8)
    seen = service.upstreams.abilities[alias]
    return Caller(asks, body, spec=f"{alias}:{replica.model}", version=version, abilities=seen, price=replica.settings.price)


async def think(asking: Question, render: Render, stream: Callable[[Question, Render], Any]) -> None:
    """Answer a request whole, or as a stream where it asked for one, and write down what became of it."""
    service, exchange = asking.service, asking.exchange
    streamed = asking.asked.body.fields.get("stream") is True
    service.begin(exchange, str(asking.asked.body.fields.get("model")), asking.settings.strategy, streamed)
    state, done, said = "failed", Passed(500, asking.asked.alias), None
    try:
        result = await exchange.unless_hung_up(stream(asking, render) if streamed else _whole(asking, render))
        state, done, said = "done", _books(asking, result), result.metacognition
        service.remember(exchange, asking.body, result)
    except HungUp:
        state, done = "cancelled", Passed(499, asking.asked.alias, *_spent(asking), error="the client went away")
        done.prompt_tokens = done.prompt_tokens or estimated(asking.body)
        raise
    except asyncio.CancelledError:
        state, done = "interrupted", Passed(503, asking.asked.alias, *_spent(asking), error=CUT_OFF)
        raise
    except Refused as error:
        done = Passed(error.status, asking.asked.alias, *_spent(asking), error=str(error))
        raise
    except Rejected as error:
        done = Passed(error.status if 400 <= error.status < 600 else 502, asking.asked.alias, *_spent(asking), error=error.brief)
        raise
    except Exception as error:
        done = Passed(502, asking.asked.alias, *_spent(asking), error=str(error)[:300])
        raise
    finally:
        service.end(exchange, state, done, said)


async def _whole(asking: Question, render: Render) -> Result:
    result = await asking.answer()
    await asking.exchange.json(200, render(result), headers(result))
    return result


def headers(result: Result) -> dict[str, str]:
    """What is said of an answer in headers."""
    said = result.metacognition
    confidence, cost = said["confidence"], said["cost"]
    tokens = cost["prompt_tokens"] + cost["completion_tokens"]
    return {
        "x-nosce-confidence": "none" if confidence is None else f"{confidence:.6f}", "x-nosce-outcome": str(said["outcome"]),
        "x-nosce-cost": f"tokens={tokens}; calls={cost['calls']}; money={cost['money']:.8g}",
    }  # fmt: skip


def _books(asking: Question, result: Result) -> Passed:
    cost = result.answer.cost
    return Passed(200, asking.asked.alias, cost.prompt_tokens, cost.completion_tokens, cost.calls, cost.money)


def _spent(asking: Question) -> tuple[int, int, int, float]:
    """(prompt tokens, completion tokens, calls, money) of the calls that came back before it failed."""
    callers = {id(m): m for m in asking.roster.values() if isinstance(m, Caller)}.values()
    usages = [(usage, caller.price) for caller in callers for usage in caller.usages]
    money = sum(u["prompt_tokens"] * price[0] + u["completion_tokens"] * price[1] for u, price in usages) / 1e6
    return sum(u["prompt_tokens"] for u, _ in usages), sum(u["completion_tokens"] for u, _ in usages), len(usages), money


QUIET = 10.0
"""Seconds after which a stream that has nothing to say sends a comment, so that nobody between gives it up."""


async def happenings(asking: Question, task: asyncio.Future[Any]) -> AsyncIterator[dict[str, Any] | None]:
    """What happens while the task runs, as it happens; None where nothing did for a while."""
    since = time.monotonic()
    while not task.done() or not asking.events.empty():
        getting = asyncio.ensure_future(asking.events.get())
        await asyncio.wait((getting, task), timeout=QUIET, return_when=asyncio.FIRST_COMPLETED)
        if getting.done():
            yield {**getting.result(), "seconds": round(time.monotonic() - since, 3)}
            continue
        getting.cancel()
        if not task.done():
            yield None
