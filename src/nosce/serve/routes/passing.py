"""A request that is passed on, from its begin to its end in the books."""

from __future__ import annotations

import asyncio

from nosce.serve.auditing import KEPT, drawn, passed_answer, put_as, queue
from nosce.serve.caps import estimated
from nosce.serve.exchange import CUT_OFF, Exchange, HungUp, Refused
from nosce.serve.passthrough import Passed, pass_on
from nosce.serve.routes.asked import Asked
from nosce.serve.service import Service
from nosce.serve.transport import Failed


async def passed(service: Service, exchange: Exchange, asked: Asked, path: str) -> None:
    """Pass it on and write down what became of it, whatever that is."""
    service.begin(exchange, asked.alias, streamed=asked.body.fields.get("stream") is True)
    state, done = "failed", Passed(500, asked.alias)
    audited = drawn(service.config.audit, exchange.path)
    if audited and service.config.trace_text:
        exchange.keep(KEPT)
    try:
        await exchange.unless_hung_up(pass_on(exchange, service.upstreams, asked.alias, path, asked.body, done))
        state = "done" if done.status < 400 else "failed"
        if audited and state == "done":
            _queue(service, exchange, asked)
    except HungUp:
        state, done.status, done.error = "cancelled", 499, "the client went away"
        done.prompt_tokens = done.prompt_tokens or estimated(asked.body.fields)
        raise
    except asyncio.CancelledError:
        state, done.status, done.error = "interrupted", 503, CUT_OFF
        raise
    except Refused as error:
        done.status, done.error = error.status, str(error)
        raise
    except Failed as error:
        done.status, done.error = 502, str(error)
        raise
    finally:
        service.end(exchange, state, done)


def _queue(service: Service, exchange: Exchange, asked: Asked) -> None:
    question = put_as(asked.body.fields) if exchange.kept is not None else None
    answer = passed_answer(bytes(exchange.kept)) if exchange.kept is not None else None
    queue(service.store, exchange, question=question, answer=answer, raw=None, about={"outcome": "passed", "strategy": ""})
