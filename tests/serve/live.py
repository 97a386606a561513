"""A running proxy on loopback, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from nosce.serve.app import create_app
from nosce.serve.config import Config, configure
from nosce.serve.run import settings


@contextmanager
def proxy(folder: Path, *upstreams: str, demo: bool = False, **given: Any) -> Iterator[str]:
    """The address (`http://127.0.0.1:PORT/v1`) of a proxy before these upstreams; its file lies in the folder."""
    with proxy_of(configure(None, upstreams, demo, database=folder / "nosce.db", port=0, **given)) as url:
        yield url


@contextmanager
def proxy_of(config: Config) -> Iterator[str]:
    """The same for a whole configuration."""
    server = uvicorn.Server(uvicorn.Config(create_app(config), **settings(config)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(15)
