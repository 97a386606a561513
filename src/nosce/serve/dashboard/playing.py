"""`/ui/playground`: one question, two strategies side by side, through the very code that answers `/v1/chat/completions`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from nosce.serve.dashboard.door import Visitor, form, serving, visitor
from nosce.serve.dashboard.pages import Page, fragment, page
from nosce.serve.exchange import Exchange, Message, Refused
from nosce.serve.front import as_refusal
from nosce.serve.replying import Result, completion
from nosce.serve.routes import asked
from nosce.serve.service import Service
from nosce.serve.store import packed
from nosce.serve.thinking import Question, Render, happenings, question, think

router = APIRouter(route_class=Page)
Who = Annotated[Visitor, Depends(visitor)]
FIRST = {"left": "think", "right": "self-consistency"}
EXAMPLES = ("product 12 34 5", "sort 52 11 83 47", "97-38+46*3", "make 24 from 4 6 8 3", "What is the capital of France?")
"""Questions for the bundled model; the last one is outside its grammar, and it says so."""


@dataclass(frozen=True, slots=True)
class Side:
    """What became of the question on one side: the completion that a client would have got, or why there is none."""

    strategy: str
    completion: Mapping[str, Any] | None
    error: str = ""

    @property
    def said(self) -> Mapping[str, Any]:
        """The answer's metacognition."""
        found: Mapping[str, Any] = (self.completion or {}).get("metacognition", {})
        return found

    @property
    def text(self) -> str:
        """What the model says: its content, else its refusal."""
        message = self.completion["choices"][0]["message"] if self.completion else {}
        return str(message.get("content") or message.get("refusal") or "")


class Form(Exchange):
    """A request that a form makes: it passes the same doors as one from outside; what happens on the way goes into `told`."""

    def __init__(self, request: Request, body: Mapping[str, Any]) -> None:
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-length"]
        scope = {**request.scope, "path": "/v1/chat/completions", "method": "POST", "headers": headers}
        super().__init__(scope, self._received, _nowhere, request.scope["caller"])
        self._body: bytes | None = packed(body).encode()
        self.told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.completion: dict[str, Any] | None = None

    async def _received(self) -> Message:
        """The body, and then nothing more: that its reader left is seen where the lines are sent."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def answer(self, service: Service, strategy: str) -> Side:
        """The answer, thought about and written down like any other."""
        try:
            read = await asked.read(service, self)
            model = f"{asked.OURS}{strategy}"
            await think(question(service, self, read, read.body.fields), lambda r: completion(r, model), self._stream)
            return Side(strategy, self.completion)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            return Side(strategy, None, str(as_refusal(error)))
        finally:
            self.told.put_nowait(None)

    async def _stream(self, asking: Question, render: Render) -> Result:
        task = asyncio.ensure_future(asking.answer())
        try:
            async for told in happenings(asking, task):
                if told is not None:
                    self.told.put_nowait(told)
            result: Result = task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.completion = render(result)
        return result


@router.get("/ui/playground")
async def playground(request: Request, who: Who) -> HTMLResponse:
    """An empty form."""
    return _page(request, who, {}, {})


@router.post("/ui/playground")
async def both(request: Request, who: Who) -> Response:
    """Both sides at once, for browsers without scripts."""
    fields = await form(request, who)
    service = serving(request)
    picked = {side: fields.get(side, first) for side, first in FIRST.items()}
    made = await asyncio.gather(*(Form(request, _body(fields, name)).answer(service, name) for name in picked.values()))
    return _page(request, who, fields, dict(zip(picked, made, strict=True)))


@router.post("/ui/playground/ask")
async def ask(request: Request, who: Who) -> Response:
    """One side as lines of JSON: what happens as it happens, then the answer as a piece of the page."""
    fields = await form(request, who)
    strategy = fields.get("strategy", "auto")
    exchange, service = Form(request, _body(fields, strategy)), serving(request)
    return StreamingResponse(_lines(exchange, service, strategy), media_type="application/x-ndjson")


async def _lines(exchange: Form, service: Service, strategy: str) -> AsyncIterator[str]:
    task = asyncio.ensure_future(exchange.answer(service, strategy))
    try:
        while (told := await exchange.told.get()) is not None:
            yield packed(told) + "\n"
        yield packed({"html": fragment("_side.html", side=await task)}) + "\n"
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _body(fields: Mapping[str, str], strategy: str) -> dict[str, Any]:
    if not (text := fields.get("question", "").strip()):
        raise Refused(400, "Write a question first.")
    settings: dict[str, Any] = {"upstream": fields["upstream"]} if fields.get("upstream") else {}
    messages = [{"role": "user", "content": text}]
    return {"model": f"{asked.OURS}{strategy}", "messages": messages, "stream": True, "metacognition": settings}


def _page(request: Request, who: Visitor, fields: Mapping[str, str], sides: Mapping[str, Side]) -> HTMLResponse:
    service = serving(request)
    local = service.upstreams.replicas[service.config.first][0].local
    return page(
        request, who, "playground.html", room="playground", fields=fields, sides=sides, picked={**FIRST, **fields},
        strategies=service.names(), upstreams=list(service.config.upstreams), examples=EXAMPLES if local else (),
        texts=service.config.trace_text,
    )  # fmt: skip


async def _nowhere(message: Message) -> None:
    """What is said goes into `told`, not over the wire."""
