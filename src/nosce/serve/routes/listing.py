"""`/v1/models`: what may be asked."""

from __future__ import annotations

from nosce.serve.exchange import Exchange
from nosce.serve.routes.asked import OURS
from nosce.serve.service import Service


async def models(service: Service, exchange: Exchange) -> None:
    """The upstreams by alias, and the strategies."""
    await service.warm()
    names = [*service.config.upstreams, *strategies(service)]
    made = int(service.started)
    data = [{"id": name, "object": "model", "created": made, "owned_by": "nosce"} for name in names]
    await exchange.json(200, {"object": "list", "data": data})


def strategies(service: Service) -> list[str]:
    """Model names of the strategies that can be asked for."""
    return [f"{OURS}{name}" for name in service.names()]
