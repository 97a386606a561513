"""What the proxy's client towards its upstreams costs: aiohttp, which it uses, beside httpx and httpx2 in the same place.

Each proxy is the real `nosce serve` application; only the class that sends requests differs. One stub upstream, one client (the
official openai package, 32 requests at once), all servers side by side and measured in turn. `python -m bench.transports`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from bench import proxy

CLIENTS, ROUNDS, SECONDS, SEQUENTIAL = ("aiohttp", "httpx", "httpx2"), 2, 3.0, 300


class Other:
    """The interface of `nosce.serve.transport.Transport` over httpx, or over httpx2, which has the same one."""

    library: Any = None

    def __init__(self, connections: int = 4096) -> None:
        from nosce.serve.transport import Failed

        limits = self.library.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = self.library.AsyncClient(limits=limits, trust_env=False, follow_redirects=False)
        self._failed = Failed

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Any:
        """The whole answer."""
        from nosce.serve.transport import Reply

        try:
            answer = await self._client.post(url, content=body, headers=dict(headers), timeout=timeout)
        except self.library.HTTPError as error:
            raise self._failed(type(error).__name__) from None
        return Reply(answer.status_code, answer.headers, answer.content)

    @contextlib.asynccontextmanager
    async def stream(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> AsyncIterator[Any]:
        """An answer under way."""
        async with self._client.stream("POST", url, content=body, headers=dict(headers), timeout=timeout) as answer:
            answer.status, answer.pieces = answer.status_code, answer.aiter_raw
            yield answer

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def serve(client: str, port: int, upstream: int, folder: str) -> None:
    """Serve with this client until killed."""
    import uvicorn

    from nosce.serve import upstreams
    from nosce.serve.app import create_app
    from nosce.serve.config import configure
    from nosce.serve.run import settings

    if client != "aiohttp":
        Other.library = import_module(client)
        upstreams.Transport = Other  # type: ignore[assignment, misc]
    spec = f"stub=openai:stub@http://127.0.0.1:{upstream}/v1"
    config = configure(None, (spec,), port=port, database=Path(folder) / f"{client}.db")
    uvicorn.run(create_app(config), **settings(config))


def run() -> dict[str, Any]:
    """Requests a second at 32 and added milliseconds, by client; `direct` is without a proxy."""
    proxy.SECONDS, proxy.SEQUENTIAL = SECONDS, SEQUENTIAL
    upstream = proxy.free_port()
    stub = [sys.executable, str(Path(__file__).with_name("stub_upstream.py")), str(upstream)]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as open_:
        open_.enter_context(proxy.process(stub, upstream, 20))
        ports, pids = {"direct": upstream}, dict[str, int]()
        for client in filter(find_spec, CLIENTS):
            ports[client] = proxy.free_port()
            command = [sys.executable, "-m", "bench.transports", client, str(ports[client]), str(upstream), folder]
            pids[client] = open_.enter_context(proxy.process(command, ports[client], 60)).pid
        rates: dict[str, list[float]] = {client: [] for client in ports}
        for _ in range(ROUNDS):
            for client, port in ports.items():
                rates[client].append(proxy.requests_a_second(port))
        found: dict[str, Any] = {client: {"requests_a_second": round(median(many), 1)} for client, many in rates.items()}
        for client, pid in pids.items():
            before = proxy.seconds_of(pid)
            found[client]["added_ms"] = proxy.added(upstream, ports[client])
            found[client]["processor_ms"] = round((proxy.seconds_of(pid) - before) / (SEQUENTIAL + 20) * 1000, 2)
            found[client]["first_byte_ms"] = proxy.added(upstream, ports[client], stream=True)
    return found


if __name__ == "__main__":
    if len(sys.argv) == 5:
        serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        print(json.dumps(run(), indent=1))
