"""`/v1/chat/completions` and `/v1/completions`."""

from __future__ import annotations

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.routes.asked import read
from nosce.serve.routes.passing import passed
from nosce.serve.service import Service


async def chat(service: Service, exchange: Exchange) -> None:
    """A chat completion."""
    asked = await read(service, exchange)
    if asked.strategy:
        raise Refused(501, "strategies are not served here")
    await passed(service, exchange, asked, "/chat/completions")


async def text(service: Service, exchange: Exchange) -> None:
    """A completion of plain text."""
    asked = await read(service, exchange)
    if asked.strategy:
        raise Refused(501, "strategies are not served here")
    await passed(service, exchange, asked, "/completions")
