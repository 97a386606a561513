"""Running the application under uvicorn."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from nosce.core.errors import CapabilityError, InputError
from nosce.serve.config import Config


def need_serve() -> None:
    """Raises CapabilityError, with what to install, where the server's libraries are missing."""
    from importlib.util import find_spec

    for library in ("fastapi", "uvicorn", "aiohttp", "jinja2", "prometheus_client"):
        if find_spec(library) is None:
            raise CapabilityError(library, "this installation", "pip install 'nosce[serve]'")


def settings(config: Config) -> dict[str, Any]:
    """uvicorn's settings: no logging of requests, no headers of its own, patience for streams under way and none for slow heads."""
    from nosce.serve.protocol import Protocol

    return {
        "http": Protocol, "host": config.host.strip("[]"), "port": config.port, "log_level": "warning", "access_log": False,
        "server_header": False, "timeout_graceful_shutdown": 10, "ws": "none", "timeout_keep_alive": 75,
    }  # fmt: skip


def placed(config: Config) -> Config:
    """The configuration with the port that will be listened on: 0 becomes a free one. Raises InputError for one that is taken."""
    import socket

    host = config.host.strip("[]")
    try:
        family, kind, *_, address = socket.getaddrinfo(host, config.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(address)
            return config.model_copy(update={"port": one.getsockname()[1]})
    except OSError as error:
        why = f"cannot listen at {host}:{config.port} ({(error.strerror or str(error)).lower()})"
        raise InputError(f"{why}; stop what listens there, or give another --port (0 takes a free one) or --host") from None


def writable(config: Config) -> None:
    """Open the file once, so that one that cannot be used is told before anything starts. Raises JournalError."""
    from nosce.serve.store import Store

    Store(config.database).close()


def check(config: Config) -> None:
    """Refuse what must not run: a policy of other models, another host than this one without a key. Raises InputError."""
    from nosce.serve.service import checked_policy

    checked_policy(config)
    if config.local:
        return
    from nosce.serve.keys import Keys
    from nosce.serve.store import Store

    store = Store(config.database)
    try:
        if not Keys(store, config.limits).any:
            raise InputError(f"--host {config.host} lets others in, and there is no key; make one with `nosce serve keys add NAME`")
    finally:
        store.close()


def serve(config: Config, workers: int = 1) -> None:
    """Serve until it is stopped. Raises InputError for what must not run."""
    import uvicorn

    need_serve()
    check(config)
    if workers == 1:
        from nosce.serve.app import create_app

        uvicorn.run(create_app(config), **settings(config))
        return
    from nosce.serve.app import CONFIG_VARIABLE
    from nosce.serve.meters import SHARED

    os.environ[CONFIG_VARIABLE] = config.model_dump_json()
    with tempfile.TemporaryDirectory(prefix="nosce-metrics-") as folder:
        os.environ[SHARED] = folder
        uvicorn.run("nosce.serve.app:from_environment", factory=True, workers=workers, **settings(config))
