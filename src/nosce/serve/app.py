"""The application: FastAPI for what people and scripts look at, bare ASGI for the traffic, a guard before both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from nosce.core.errors import NosceError
from nosce.serve.config import Config
from nosce.serve.dashboard import dashboard
from nosce.serve.exchange import ASGI, Refused
from nosce.serve.front import Front, as_refusal
from nosce.serve.guard import Guard
from nosce.serve.openapi import document
from nosce.serve.routes import feedback, health, lessons, listing
from nosce.serve.service import Service
from nosce.serve.warming import warm

CONFIG_VARIABLE = "NOSCE_SERVE_CONFIG"
"""Where a worker process finds its configuration, as JSON."""

_NONE: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""Nothing of what is asked here is told to anybody, whatever the environment says about FastAPI's telemetry."""


def create_app(config: Config) -> ASGI:
    """The whole server as one ASGI application. Raises InputError or JournalError for what cannot work."""
    service = Service.of(config)
    inner = FastAPI(title="Nosce", version=_version(), lifespan=_lifespan(service), docs_url=None, redoc_url=None, telemetry=_NONE)
    inner.state.service = service
    inner.include_router(health.router)
    inner.include_router(feedback.router)
    inner.include_router(lessons.router)
    inner.include_router(listing.router)
    inner.include_router(dashboard())
    inner.openapi = lambda: document(inner)  # type: ignore[method-assign]  # FastAPI's documented way
    inner.add_exception_handler(RequestValidationError, _invalid)
    inner.add_exception_handler(HTTPException, _no_route)
    inner.add_exception_handler(Refused, _refused)
    inner.add_exception_handler(NosceError, _refused)
    return Guard(Front(service, inner), config, service.keys)


def from_environment() -> ASGI:
    """The application of a worker process."""
    return create_app(Config.model_validate_json(os.environ[CONFIG_VARIABLE]))


def _lifespan(service: Service):  # type: ignore[no-untyped-def]  # FastAPI's own type is an alias of an alias
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        keeping, service.warming = asyncio.create_task(service.keep_house()), asyncio.create_task(asyncio.to_thread(warm, service))
        yield
        keeping.cancel()
        await service.close()

    return lifespan


async def _refused(request: Request, error: Exception) -> JSONResponse:
    refusal = as_refusal(error)
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    fault = getattr(error, "errors")()[0]  # noqa: B009  # typed as a plain exception
    where = ".".join(str(part) for part in fault["loc"][1:])
    said = str(fault["msg"]).removeprefix("Value error, ")
    refusal = Refused(400, f"{where}: {said}" if where else said, param=where or None)
    return JSONResponse(refusal.body, refusal.status)


async def _no_route(request: Request, error: Exception) -> JSONResponse:
    status = int(getattr(error, "status_code", 500))
    return JSONResponse(Refused(status, str(getattr(error, "detail", error))).body, status, getattr(error, "headers", None))


def _version() -> str:
    from importlib.metadata import version

    return version("nosce")


__all__ = ["CONFIG_VARIABLE", "create_app", "from_environment"]
