"""`/health` and `/metrics`."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from nosce.serve.metrics import exposition
from nosce.serve.service import Service

router = APIRouter()


@router.get("/health", tags=["server"])
async def health(request: Request, response: Response) -> dict[str, Any]:
    """Whether the server and its upstreams are well; 503 when answers cannot be written down or no upstream is healthy."""
    service: Service = request.app.state.service
    journal = await asyncio.to_thread(service.store.mended)
    upstreams = {
        alias: [{"healthy": one.healthy, "asked": one.asked, "failed": one.failed} for one in replicas]
        for alias, replicas in service.upstreams.replicas.items()
    }
    well = journal and any(one["healthy"] for replicas in upstreams.values() for one in replicas)
    response.status_code = 200 if well else 503
    return {"status": "ok" if well else "degraded", "journal": journal, "upstreams": upstreams}


@router.get("/metrics", tags=["server"], response_class=Response)
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    said = await asyncio.to_thread(exposition, request.app.state.service)
    return Response(said, media_type="text/plain; version=0.0.4; charset=utf-8")
