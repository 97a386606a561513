"""`/v1/models`: what may be asked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from nosce.serve.exchange import Exchange
from nosce.serve.routes.asked import OURS, no_such_model
from nosce.serve.service import Service

router = APIRouter(prefix="/v1", tags=["models"])


async def models(service: Service, exchange: Exchange) -> None:
    """The upstreams by alias, and the strategies."""
    await exchange.json(200, {"object": "list", "data": [_card(service, name) for name in await _names(service)]})


@router.get("/models/{name:path}")
async def model(name: str, request: Request) -> dict[str, Any]:
    """One of them, by its name."""
    service: Service = request.app.state.service
    if name not in await _names(service):
        raise no_such_model(service, name)
    return _card(service, name)


def strategies(service: Service) -> list[str]:
    """Model names of the strategies that can be asked for."""
    return [f"{OURS}{name}" for name in service.names()]


async def _names(service: Service) -> list[str]:
    await service.warm()
    return [*service.config.upstreams, *strategies(service)]


def _card(service: Service, name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": int(service.started), "owned_by": "nosce"}
