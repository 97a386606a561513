"""What the proxy costs: requests a second, added latency, first byte, many slow streams, installed size; and its peers.

`make peers` installs LiteLLM's proxy and optillm, each in an environment of its own under `.peers/`; without them only
Nosce and no proxy at all are measured. One stub upstream, one client (the official openai package), one run.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

PEERS = Path(os.environ.get("NOSCE_PEERS", ".peers"))
CONCURRENCY, CLIENTS, SECONDS, ROUNDS, SEQUENTIAL, STREAMS = 32, 4, 4.0, 3, 200, 2000
BODY: dict[str, Any] = {"model": "stub", "messages": [{"role": "user", "content": "2+2"}]}
KEY = "sk-bench-0123456789abcdef0123456789"


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextlib.contextmanager
def process(command: list[str], port: int, patience: float, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server that listens at the port, in a process group of its own, until the block ends."""
    log = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the process
    made = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + patience
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if made.poll() is not None or time.monotonic() > until:
                log.seek(0)
                raise RuntimeError(f"{command[0]} did not start: {log.read()[-800:].decode(errors='replace')}")
            time.sleep(0.05)
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(made.pid, signal.SIGKILL)
        made.wait()


async def load(port: int, seconds: float) -> float:
    """Requests a second that one process of the official client gets through, CONCURRENCY / CLIENTS at a time."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
        done = 0

        async def worker(until: float) -> None:
            nonlocal done
            while time.monotonic() < until:
                made = await client.chat.completions.create(**BODY)
                assert made.choices[0].message.content == "4"
                done += 1

        await asyncio.gather(*(worker(time.monotonic() + 1.0) for _ in range(CONCURRENCY // CLIENTS)))
        done, started = 0, time.monotonic()
        await asyncio.gather(*(worker(started + seconds) for _ in range(CONCURRENCY // CLIENTS)))
        return done / (time.monotonic() - started)


def requests_a_second(port: int) -> float:
    """At CONCURRENCY over CLIENTS processes, after a warm-up."""
    code = f"import asyncio; from bench.proxy import load; print(asyncio.run(load({port}, {SECONDS})))"
    clients = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(CLIENTS)]
    return sum(float(client.communicate()[0]) for client in clients)


def seconds_of(pid: int) -> float:
    """Processor seconds that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Line:
    """One kept connection, asked one request at a time."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}

    def ask(self, **more: Any) -> float:
        """Milliseconds until the first byte of the answer's body."""
        body, began = json.dumps({**BODY, **more}), time.perf_counter()
        self._connection.request("POST", "/v1/chat/completions", body, self._headers)
        answer = self._connection.getresponse()
        answer.read(1)
        took = (time.perf_counter() - began) * 1000
        answer.read()
        return took


def added(direct: int, proxied: int, **more: Any) -> dict[str, float]:
    """Milliseconds that the proxy adds, p50 and p95, over interleaved pairs."""
    lines = Line(direct), Line(proxied)
    for line in lines:
        for _ in range(20):
            line.ask(**more)
    pairs = [(lines[0].ask(**more), lines[1].ask(**more)) for _ in range(SEQUENTIAL)]
    through, straight = [b for _, b in pairs], [a for a, _ in pairs]
    return {
        "p50": round(median(through) - median(straight), 3),
        "p95": round(quantiles(through, n=20)[-1] - quantiles(straight, n=20)[-1], 3),
    }


async def _streams(port: int) -> int:
    body = json.dumps({**BODY, "stream": True, "user": "slowly"}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body

    async def one() -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        said = await asyncio.wait_for(reader.readuntil(b"data: [DONE]"), 120)
        writer.close()
        return said.count(b"data: {") == 10

    async def spread(number: int) -> bool:
        await asyncio.sleep(number * 0.001)
        return await one()

    return sum(await asyncio.gather(*(spread(number) for number in range(STREAMS))))


def slow_streams(port: int, pid: int) -> dict[str, Any]:
    """STREAMS slow streams at once: how many came whole, and the most memory the server had."""
    served = asyncio.run(_streams(port))
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {"served": served, "of": STREAMS, "peak_mb": round(peak / 1024, 1)}


def nosce(port: int, upstream: int, folder: Path) -> list[str]:
    """The command that starts our proxy."""
    flags = [
        "--upstream",
        f"stub=openai:stub@http://127.0.0.1:{upstream}/v1",
        "--port",
        str(port),
        "--database",
        str(folder / "nosce.db"),
    ]
    return [sys.executable, "-c", "from nosce.cli.app import main; main()", "serve", *flags]


def litellm(port: int, upstream: int, folder: Path) -> list[str]:
    """The command that starts LiteLLM's proxy."""
    model = {"model": "openai/stub", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "k"}
    config = {"model_list": [{"model_name": "stub", "litellm_params": model}]}
    (folder / "litellm.yaml").write_text(json.dumps(config))
    return [
        str(PEERS / "litellm/bin/litellm"),
        "--config",
        str(folder / "litellm.yaml"),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
    ]


def optillm(port: int, upstream: int, folder: Path) -> list[str]:
    """The command that starts optillm, passing through."""
    return [
        str(PEERS / "optillm/bin/optillm"),
        "--port",
        str(port),
        "--base-url",
        f"http://127.0.0.1:{upstream}/v1",
        "--approach",
        "none",
    ]


ENVIRONMENTS = {
    "litellm": {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    "optillm": {"OPENAI_API_KEY": "k"},
}
Start = Callable[[int, int, Path], list[str]]
STARTS: dict[str, Start] = {"nosce": nosce, "litellm": litellm, "optillm": optillm}


def installed(name: str) -> bool:
    """Whether a peer is there to be measured."""
    return (PEERS / name / "bin" / name).exists()


def size() -> dict[str, Any]:
    """Megabytes of what `nosce[serve]` installs: the package and all it requires, from the installed records."""
    from importlib.metadata import PackageNotFoundError, distribution

    from packaging.requirements import Requirement

    waiting, seen, total = [("nosce", "serve")], set[str](), 0
    while waiting:
        name, extra = waiting.pop()
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        for text in found.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [
                    (wanted.name, e) for e in wanted.extras or {""} if (wanted.name, e) not in waiting and wanted.name not in seen
                ]
        if name not in seen:
            seen.add(name)
            total += sum(
                Path(str(found.locate_file(f))).stat().st_size
                for f in found.files or ()
                if Path(str(found.locate_file(f))).is_file()
            )
    return {"mb": round((total + _own()) / 1e6, 1), "packages": len(seen), "torch": "torch" in seen}


def _own() -> int:
    """Bytes of the package itself, which is installed as a link."""
    import nosce as package

    return sum(f.stat().st_size for f in Path(package.__file__).parent.rglob("*") if f.is_file() and f.suffix != ".pyc")


def run() -> dict[str, Any]:
    """Every figure, in one run: all servers stand side by side and are measured in turn, ROUNDS times."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    upstream = free_port()
    stub = [sys.executable, str(Path(__file__).with_name("stub_upstream.py")), str(upstream)]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as open_:
        open_.enter_context(process(stub, upstream, 20))
        ports, pids = {"direct": upstream}, dict[str, int]()
        for server, start in STARTS.items():
            if server == "nosce" or installed(server):
                ports[server] = free_port()
                command = start(ports[server], upstream, Path(name))
                pids[server] = open_.enter_context(process(command, ports[server], 180, **ENVIRONMENTS.get(server, {}))).pid
        time.sleep(2)
        found = _measured(ports, pids)
    return {**found, "installed": size(), "missing": [n for n in STARTS if n not in ports], **_times(found)}


def _measured(ports: dict[str, int], pids: dict[str, int]) -> dict[str, Any]:
    rates: dict[str, list[float]] = {server: [] for server in ports}
    for _ in range(ROUNDS):
        for server, port in ports.items():
            rates[server].append(requests_a_second(port))
    found: dict[str, Any] = {server: {"requests_a_second": round(median(many), 1)} for server, many in rates.items()}
    for server, pid in pids.items():
        before = seconds_of(pid)
        found[server]["added_ms"] = added(ports["direct"], ports[server])
        found[server]["processor_ms"] = round((seconds_of(pid) - before) / (SEQUENTIAL + 20) * 1000, 2)
    ours = ports["nosce"]
    found["nosce"]["first_byte_ms"] = added(ports["direct"], ours, stream=True)
    found["nosce"]["slow_streams"] = slow_streams(ours, pids["nosce"])
    return found


def _times(found: dict[str, Any]) -> dict[str, float]:
    ours = found["nosce"]["requests_a_second"]
    others = [name for name in ("direct", "litellm", "optillm") if name in found]
    return {f"times_{name}": round(ours / found[name]["requests_a_second"], 2) for name in others}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
