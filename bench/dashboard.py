"""The dashboard over 100,000 requests: how long each page takes, and what three tabs that look on cost the traffic."""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.proxy import free_port, process

MANY, DAYS, AUDITED, TRIES, SECONDS, ROUNDS, TABS = 100_000, 7, 50, 5, 2.2, 10, 3
PAGES = ("/", "/?show=failed", "/?q=zzzz", "/ui/traffic/rows", "/ui/confidence", "/ui/tokens", "/ui/decisions", "/ui/drift",
         "/ui/audit", "/ui/memory", "/ui/playground")  # fmt: skip
FRESH = 5.2  # seconds after which the figures of the first page are worked out anew
QUESTIONS = ("product 12 34 5", "sort 52 11 83 47", "97-38+46*3", "max 4 19 7", "6-4+9", "make 24 from 4 6 8 3")
MODELS = ("nosce/auto", "nosce/self-consistency", "nosce/think", "stub")
COPIES = """
CREATE TEMP TABLE copies AS
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1),
  olds AS (SELECT trace_id, ROW_NUMBER() OVER () - 1 AS k, COUNT(*) OVER () AS number FROM requests)
  SELECT i, printf('bench-%018d', i) AS new, olds.trace_id AS old, ? - abs(random()) % ? AS at FROM n JOIN olds ON k = i % number
"""


def send(port: int, model: str, question: str) -> None:
    """Ask something."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=60).read()


def multiply(database: Path) -> None:
    """Real requests with their traces, copied until there are MANY, spread over DAYS; one in AUDITED labelled."""
    base = sqlite3.connect(database, timeout=30)
    base.execute(COPIES, (MANY, time.time() - 60, DAYS * 86_400))
    base.execute("CREATE INDEX temp.by_old ON copies(old)")
    for table in ("requests", "traces", "thoughts", "decisions", "audit"):
        names = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
        taken = ", ".join({"trace_id": "c.new", "at": "c.at", "labelled": "c.at"}.get(name, f"t.{name}") for name in names)
        some = f"WHERE c.i % {AUDITED} = 0" if table == "audit" else ""
        base.execute(f"INSERT INTO {table} SELECT {taken} FROM {table} t JOIN copies c ON c.old = t.trace_id {some}")
    base.execute("UPDATE audit SET state='labelled', score=(abs(random()) % 4 > 0) WHERE trace_id LIKE 'bench-%'")
    base.commit()
    base.close()


def spent(pid: int) -> float:
    """Milliseconds of processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pages(port: int, pid: int) -> dict[str, dict[str, float]]:
    """Of each page over TRIES: milliseconds of the server's processor (mean), whatever else runs, and to the last byte (best)."""
    found = {}
    for path in PAGES:
        took, before = [], spent(pid)
        for _ in range(TRIES):
            began = time.perf_counter()
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
            took.append(1000 * (time.perf_counter() - began))
            time.sleep(FRESH if path == "/" else 0)
        found[path] = {"processor": round((spent(pid) - before) / TRIES, 1), "best": round(min(took), 1)}
    return found


def latencies(port: int) -> list[float]:
    """Milliseconds of requests that are passed on one after the other, for SECONDS."""
    line, took, until = http.client.HTTPConnection("127.0.0.1", port), list[float](), time.monotonic() + SECONDS
    body = json.dumps({"model": "stub", "messages": [{"role": "user", "content": "2+2"}]})
    while time.monotonic() < until:
        began = time.perf_counter()
        line.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        assert json.loads(line.getresponse().read())["usage"]["total_tokens"] == 10
        took.append(1000 * (time.perf_counter() - began))
    line.close()
    return took


def looking_on(port: int, until: threading.Event) -> None:
    """A tab on the first page: it asks every two seconds whether there is something new."""
    seen = ""
    while not until.wait(2):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ui/traffic/rows?show=all&seen={seen}") as answer:
            seen = answer.read().decode().partition('data-version="')[2].partition('"')[0] or seen


def watched(port: int) -> dict[str, Any]:
    """Latencies with nobody looking and with TABS, in turns: medians over ROUNDS, and the median of the rounds' ratios."""
    rounds = []
    for _ in range(ROUNDS):
        alone, over = latencies(port), threading.Event()
        tabs = [threading.Thread(target=looking_on, args=(port, over)) for _ in range(TABS)]
        for tab in tabs:
            tab.start()
        seen = latencies(port)
        over.set()
        for tab in tabs:
            tab.join()
        rounds.append([quantiles(took, n=20) for took in (alone, seen)])
    found = {f"p{5 * i + 5}": {name: round(median(r[k][i] for r in rounds), 2) for k, name in enumerate(("alone", "watched"))}
             for i in (9, 18)}  # fmt: skip
    return {**found, "ratio_p50": round(median(r[1][9] / r[0][9] for r in rounds), 3)}


CONFIG = """[serve]
port = {port}
database = "{database}"
trace_text = true
audit = 1.0
upstreams.socrates.model = "socrates"
upstreams.stub.model = "openai:stub@http://127.0.0.1:{up}/v1"
"""


def run() -> dict[str, Any]:
    """Pages and latencies, before a demo and a stub upstream."""
    up, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        database, config = Path(folder) / "nosce.db", Path(folder) / "serve.toml"
        config.write_text(CONFIG.format(port=port, database=database, up=up))
        serve = [sys.executable, "-c", "from nosce.cli.app import main; main()", "serve", "--config", str(config)]
        with process([sys.executable, "-m", "bench.stub_upstream", str(up)], up, 20), process(serve, port, 60) as server:
            for model in MODELS:
                for question in QUESTIONS:
                    send(port, model, question)
            time.sleep(1)
            multiply(database)
            size = round(database.stat().st_size / 1e6)
            return {"requests": MANY, "mb": size, "pages_ms": pages(port, server.pid), "pass_through_ms": watched(port)}


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
