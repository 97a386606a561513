"""`/metrics` in Prometheus' own reading: what was asked is what is counted, over all processes of a server."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import openai
from prometheus_client.parser import text_string_to_metric_families
from tests.serve.live import proxy

from nosce.serve.config import configure
from nosce.serve.run import placed


def samples(base: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    text = httpx.get(f"{base}/metrics", trust_env=False).text
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value for sample in found}


def ask(base: str, question: str, model: str = "nosce/think") -> None:
    client = openai.OpenAI(base_url=f"{base}/v1", api_key="k", max_retries=0)
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
    client.close()


def test_a_histogram_holds_each_request_and_each_confidence(tmp_path: Path) -> None:
    with proxy(tmp_path, demo=True) as url:
        base = url.removesuffix("/v1")
        for question in ("37+48-12", "5+6", "who was Socrates?"):
            ask(base, question)
        found = samples(base)
    path = "/v1/chat/completions"
    assert found["nosce_requests_total", (path, "done", "200")] == 3
    assert found["nosce_request_seconds_count", (path, "done")] == 3
    assert found["nosce_request_seconds_bucket", ("+Inf", path, "done")] == 3
    assert found["nosce_confidence_count", ("false", "think")] == 2  # the third was withheld, without one
    assert found["nosce_outcomes_total", ("abstained", "think")] == 1
    assert found["nosce_requests_in_flight", ()] == 0
    assert found["nosce_tokens_total", ("completion", "socrates")] > 3


def test_any_process_of_a_server_tells_the_sums_of_all(tmp_path: Path) -> None:
    port = placed(configure(None, (), True, database=tmp_path / "nosce.db", port=0)).port
    command = [sys.executable, "-m", "nosce", "serve", "--demo", "--workers", "2", "--port", str(port), "--database"]
    base = f"http://127.0.0.1:{port}"
    with subprocess.Popen([*command, str(tmp_path / "nosce.db")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(base)
            for _ in range(12):
                ask(base, "5+6", "nosce/direct")
            counted = [samples(base)["nosce_requests_total", ("/v1/chat/completions", "done", "200")] for _ in range(6)]
            lively = samples(base)["nosce_requests_in_flight", ()]
        finally:
            server.send_signal(signal.SIGINT)
    assert counted == [12] * 6
    assert lively == 0


def _wait(base: str) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        try:
            address = urlsplit(base)
            http.client.HTTPConnection(str(address.hostname), address.port, timeout=5).request("GET", "/health")
            return
        except OSError:
            time.sleep(0.1)
