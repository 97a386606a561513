"""`/v1/embeddings`: passed on."""

from __future__ import annotations

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.routes.asked import read
from nosce.serve.routes.passing import passed
from nosce.serve.service import Service


async def create(service: Service, exchange: Exchange) -> None:
    """Embeddings have no metacognition; a strategy is refused."""
    asked = await read(service, exchange)
    if asked.strategy:
        raise Refused(400, "embeddings are passed on; name an upstream as the model", param="model")
    await passed(service, exchange, asked, "/embeddings")
