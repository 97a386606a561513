"""What a request asks for: which model, which strategy, and the body that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nosce.core.errors import unknown
from nosce.serve.exchange import Exchange, Refused
from nosce.serve.service import Service
from nosce.serve.wire import Body

OURS = "nosce/"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request read: its body, the alias it goes to, and the strategy (empty: passed on as it is) with its settings."""

    body: Body
    alias: str
    strategy: str
    settings: dict[str, Any]


async def read(service: Service, exchange: Exchange) -> Asked:
    """Read a request. Raises Refused or Malformed before anything is spent."""
    found = await _read(service, exchange)
    if found.strategy:
        await service.warm()
    return found


async def _read(service: Service, exchange: Exchange) -> Asked:
    await service.admit(exchange)
    body = Body.read(await exchange.body(exchange.caller.limits.body))
    model, settings = body.fields.get("model"), body.fields.get("metacognition")
    if not isinstance(model, str) or not model:
        raise Refused(400, "you must name a model; GET /v1/models lists them", param="model")
    if settings is not None and not isinstance(settings, dict):
        raise Refused(400, 'metacognition: expected an object, e.g. {"strategy": "auto"}', param="metacognition")
    if not isinstance(body.fields.get("stream"), bool | None):
        raise Refused(400, "stream: expected true or false", param="stream")
    if model.startswith(OURS):
        return _ours(service, body, model.removeprefix(OURS), dict(settings or {}))
    if model not in service.config.upstreams:
        raise no_such_model(service, model)
    if settings is not None:
        return Asked(body, model, _named(settings.get("strategy", "auto")), dict(settings))
    return Asked(body, model, "think" if service.upstreams.replicas[model][0].local else "", {})


def _ours(service: Service, body: Body, name: str, settings: dict[str, Any]) -> Asked:
    alias = service.config.first if settings.get("upstream") is None else str(settings["upstream"])
    if alias not in service.config.upstreams:
        raise no_such_model(service, alias)
    return Asked(body, alias, _named(name), settings)


def _named(strategy: Any) -> str:
    if not isinstance(strategy, str) or not strategy:
        raise Refused(400, "name a strategy, e.g. the model nosce/auto; GET /v1/models lists them", param="model")
    return strategy


def no_such_model(service: Service, name: str) -> Refused:
    """The refusal of a model that is not configured, with the nearest that are."""
    error = unknown("model", name[:80], [*service.config.upstreams, "nosce/auto"])
    return Refused(404, str(error), code="model_not_found", param="model")
