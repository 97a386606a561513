"""A real `nosce serve` in a process of its own, which can be killed, squeezed and started again on the same file."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(true: Callable[[], bool], most: float = 10) -> bool:
    """Whether it becomes true in time."""
    ends = time.monotonic() + most
    while not (held := true()) and time.monotonic() < ends:
        time.sleep(0.02)
    return held


@dataclass
class Server:
    """A running server: its process, its port, and what it wrote to the terminal once it has ended."""

    process: subprocess.Popen[bytes]
    port: int
    log: str = ""

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a GET."""
        return self._bare("GET", path, headers)

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Status and JSON of a POST."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("POST", f"/v1{path}", json.dumps(body), {"content-type": "application/json", **headers})
        answer = line.getresponse()
        said = answer.read()
        line.close()
        return answer.status, json.loads(said) if said.startswith(b"{") else said.decode()

    def delete(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of a DELETE."""
        return self._bare("DELETE", path, headers)

    def _bare(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        line.request(method, path, headers=headers)
        answer = line.getresponse()
        said = answer.read().decode()
        line.close()
        return answer.status, said

    def begin(self, body: Any, **headers: str) -> http.client.HTTPConnection:
        """A chat request that is sent and not waited for."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        line.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json", **headers})
        return line

    def metric(self, name: str, **headers: str) -> float:
        """The value of a metric without labels."""
        said = self.get("/metrics", **headers)[1]
        return next(float(line.split()[1]) for line in said.splitlines() if line.startswith(f"{name} "))

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def running(database: Path, *flags: str, wait: bool = True) -> Iterator[Server]:
    """`nosce serve` with these flags; ended by SIGTERM where it was not before."""
    port = free_port()
    command = [sys.executable, "-c", "from nosce.cli.app import main; main()", "serve", "--database", str(database)]
    log = database.with_suffix(f".{port}.log")
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--port", str(port), *flags], stdout=out, stderr=out, start_new_session=True)
    made = Server(process, port)
    try:
        if wait:
            assert until(lambda: _listens(port) or process.poll() is not None, 60), log.read_text()
            assert process.poll() is None, log.read_text()
        yield made
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        made.log = log.read_text()


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
