"""`/v1/responses`."""

from __future__ import annotations

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.routes.asked import read
from nosce.serve.routes.passing import passed
from nosce.serve.service import Service


async def create(service: Service, exchange: Exchange) -> None:
    """A response."""
    asked = await read(service, exchange)
    if asked.strategy:
        raise Refused(501, "strategies are not served here")
    await passed(service, exchange, asked, "/responses")
