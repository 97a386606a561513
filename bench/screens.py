"""Pictures of the dashboard for the documentation: `python -m bench.screens [FOLDER]`. Needs Chromium.

A server with the bundled model is calibrated on labelled questions and then asked; its answers are audited against the
references of the questions. All of that is real traffic over HTTP. Only its times are moved, from the seconds that it took
to the day before, so that charts over time have a day to show.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nosce.core.problem import Problem

QUESTIONS, CALIBRATING, KEPT_OPEN, RISK = 240, 500, 9, 0.25
MODELS = ("nosce/auto",) * 9 + ("nosce/self-consistency", "nosce/think", "nosce/adaptive-consistency")
WIDTH, PHONE_WIDTH = 1280, 390
PAGES = {
    "traffic": ("/", 900), "confidence": ("/ui/confidence?of=auto", 1000), "tokens": ("/ui/tokens", 1000),
    "decisions": ("/ui/decisions", 900),
    "drift": ("/ui/drift", 860), "audit": ("/ui/audit", 800), "memory": ("/ui/memory?show=approved", 800),
}  # fmt: skip
"""Each page, and how much of its height is shown."""

PHONE = ("traffic", "confidence", "audit", "trace")


def send(url: str, path: str, data: dict[str, Any]) -> dict[str, Any]:
    """The JSON that a POST is answered with."""
    request = urllib.request.Request(url + path, json.dumps(data).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of a calibrated server with the bundled model, memory switched on."""
    import uvicorn

    from nosce.serve.app import create_app
    from nosce.serve.calibrating import calibrate
    from nosce.serve.config import Memory, configure
    from nosce.serve.run import settings
    from nosce.tasks.load import load_problems

    labelled = list(load_problems("examples/calibration.jsonl"))
    policy = folder / "policy.json"
    policy.write_text(asyncio.run(calibrate(configure(demo=True), random.Random(1).sample(labelled, CALIBRATING))).to_json())
    database, memory = folder / "nosce.db", Memory(on=True)
    config = configure(demo=True, database=database, port=0, policy=policy, risk=RISK, audit=0.6, trace_text=True, memory=memory)
    running = uvicorn.Server(uvicorn.Config(create_app(config), **settings(config)))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(15)


def traffic(url: str) -> dict[str, Problem]:
    """Ask the questions; each with the trace of its answer."""
    from nosce.tasks.load import load_problems

    chance = random.Random(2)
    problems = chance.sample(list(load_problems("examples/mixed.jsonl")), QUESTIONS)
    asked = {}
    for problem in problems:
        body = {"model": chance.choice(MODELS), "messages": [{"role": "user", "content": problem.text}]}
        asked[send(url, "/v1/chat/completions", body)["metacognition"]["trace_id"]] = problem
    outside = [{"role": "user", "content": "What is the capital of France?"}]
    send(url, "/v1/chat/completions", {"model": "nosce/auto", "messages": outside})
    return asked


def audit(url: str, asked: dict[str, Problem]) -> None:
    """Label what was drawn, by the references; some askers say of themselves that they were answered well."""
    with urllib.request.urlopen(f"{url}/v1/audit?limit=1000") as answer:
        drawn = json.loads(answer.read())["data"]
    known = [item for item in drawn if item["trace_id"] in asked]
    for item in known[:-KEPT_OPEN]:
        right = asked[item["trace_id"]].check(item["answer"]) if item["answer"] is not None else 0.0
        send(url, f"/v1/audit/{item['trace_id']}", {"score": float(right)})
    for trace in list(asked)[::9]:
        send(url, "/v1/feedback", {"trace_id": trace, "correct": True})


def spread(database: Path) -> None:
    """Move the times over the day before, with more of them by day than by night."""
    base, chance, now = sqlite3.connect(database), random.Random(3), time.time()
    traces = [row[0] for row in base.execute("SELECT trace_id FROM requests ORDER BY at")]
    hours = [h for h in range(24) for _ in range(2 + int(9 * max(0.0, 1 - abs(h - 12) / 9)))]
    times = sorted(now - 86_000 + 3500 * chance.choice(hours) + chance.uniform(0, 3500) for _ in traces)
    for trace, at in zip(traces, (min(at, now - 1) for at in times), strict=True):
        for table in ("requests", "traces", "thoughts", "decisions", "audit", "feedback", "lessons"):
            base.execute(f"UPDATE {table} SET at=? WHERE trace_id=?", (at, trace))
    base.commit()
    base.close()


def pictures(url: str, to: Path, trace: str) -> list[Path]:
    """Every page in light and dark, some on a phone, and the playground after a question."""
    from playwright.sync_api import sync_playwright

    chromium = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    made = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            more = {"trace": (f"/ui/trace/{trace}", 900), "playground": ("/ui/playground", 820)}
            for name, (path, height) in (PAGES | more).items():
                for width, tall in [(WIDTH, height)] + ([(PHONE_WIDTH, 844)] if name in PHONE else []):
                    phone = width == PHONE_WIDTH
                    page = browser.new_page(
                        viewport={"width": width, "height": tall}, color_scheme=scheme, device_scale_factor=2 if phone else 1,
                        has_touch=phone, is_mobile=phone,
                    )  # fmt: skip
                    page.goto(url + path)
                    _lived(page, name)
                    made.append(to / f"{name}{'-phone' if phone else ''}-{scheme}.png")
                    _small(page.screenshot(), made[-1])
                    page.close()
        browser.close()
    return made


def _small(picture: bytes, to: Path) -> None:
    """Write a picture with at most 192 colours, which is half of its size and looks the same."""
    from PIL import Image

    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    whole.quantize(192, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(to, optimize=True)


def _lived(page: Any, name: str) -> None:
    """Leave a page as somebody who uses it would see it."""
    if name == "playground":
        page.select_option("#left", "auto")
        page.fill("#question", "product 7 8 12")
        page.click("text=Ask both")
        page.wait_for_selector(".side:last-child .made")
    if name == "trace":
        page.locator(".tree summary").first.click()


def longest(database: Path) -> str:
    """The trace of `auto` that has the most to show: most decisions, then most answers that differ, then most events."""
    base = sqlite3.connect(database)
    answered = "r.model='nosce/auto' AND r.outcome='answered'"
    rows = base.execute(f"SELECT t.trace_id, t.trace FROM traces t JOIN requests r USING(trace_id) WHERE {answered}").fetchall()
    base.close()

    def told(trace: str) -> tuple[int, int, int]:
        events = json.loads(trace)["events"]
        answers = {event[3].get("answer") for event in events if event[1] == "sampled"}
        return sum(event[1] == "decided" for event in events), len(answers), len(events)

    found: str = max(rows, key=lambda row: told(row[1]))[0]
    return found


def screens(to: Path) -> list[Path]:
    """Make all pictures."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url:
        audit(url, traffic(url))
        spread(Path(folder) / "nosce.db")
        return pictures(url, to, longest(Path(folder) / "nosce.db"))


if __name__ == "__main__":
    for picture in screens(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/dashboard")):
        print(picture, f"{picture.stat().st_size / 1000:.0f} kB")
