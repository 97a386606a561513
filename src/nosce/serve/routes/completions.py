"""`/v1/chat/completions` and `/v1/completions`."""

from __future__ import annotations

from typing import Any

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.replying import Result, completion
from nosce.serve.routes.asked import Asked, read
from nosce.serve.routes.passing import passed
from nosce.serve.service import Service
from nosce.serve.sse import chat_chunks, streaming, text_chunks
from nosce.serve.thinking import question, think


async def chat(service: Service, exchange: Exchange) -> None:
    """A chat completion: passed on as it is for an upstream's name, thought about for `nosce/…` or `metacognition`."""
    asked = await read(service, exchange)
    if not asked.strategy:
        return await passed(service, exchange, asked, "/chat/completions")
    asking = question(service, exchange, asked, asked.body.fields)
    await think(asking, lambda result: completion(result, _model(asked)), streaming(chat_chunks))


async def text(service: Service, exchange: Exchange) -> None:
    """A completion of plain text; a strategy puts the prompt as a user's turn."""
    asked = await read(service, exchange)
    if not asked.strategy:
        return await passed(service, exchange, asked, "/completions")
    prompt = asked.body.fields.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise Refused(400, "prompt: expected text (a strategy answers one prompt at a time)", param="prompt")
    turned = {name: v for name, v in asked.body.fields.items() if name not in ("prompt", "echo", "suffix", "best_of", "logprobs")}
    asking = question(service, exchange, asked, {**turned, "messages": [{"role": "user", "content": prompt}]})
    await think(asking, lambda result: _texts(result, _model(asked)), streaming(text_chunks))


def _model(asked: Asked) -> str:
    return str(asked.body.fields["model"])


def _texts(result: Result, model: str) -> dict[str, Any]:
    """A chat completion as a text completion. An abstention has an empty text; why stands in the metacognition."""
    whole = completion(result, model)
    choices = [
        {"index": c["index"], "text": c["message"].get("content") or "", "finish_reason": c.get("finish_reason"), "logprobs": None}
        for c in whole["choices"]
    ]
    return {**whole, "object": "text_completion", "choices": choices}
