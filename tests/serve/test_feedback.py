"""What is said of answers afterwards, and what it moves."""

import json
import sqlite3
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serve.live import proxy
from tests.serve.test_passing import post
from tests.serve.test_wrap import policy, sure
from tests.servers.stub import completion, serving

from nosce.serve import learning
from nosce.serve.config import Limits
from nosce.serve.keys import Keys
from nosce.serve.store import Store


def ask(url: str, **headers: str) -> dict[str, Any]:
    """The metacognition of one answer."""
    body = {"model": "nosce/auto", "messages": [{"role": "user", "content": "2+2"}]}
    made: dict[str, Any] = json.loads(post(f"{url}/chat/completions", json.dumps(body).encode(), **headers)[1])
    said: dict[str, Any] = made["metacognition"]
    return said


def send(url: str, path: str, data: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a POST."""
    status, body, _ = post(f"{url}{path}", json.dumps(data).encode(), **headers)
    return status, json.loads(body)


def get(url: str, path: str) -> str:
    with urllib.request.urlopen(url.removesuffix("/v1") + path, timeout=10) as answer:
        return str(answer.read().decode())


def test_once_per_trace_and_only_by_the_key_that_asked(tmp_path: Path) -> None:
    store = Store(tmp_path / "nosce.db")
    alice, bob = (Keys(store, Limits()).make(name) for name in ("alice", "bob"))
    with serving(lambda call: completion("4", choice=sure(0.9))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        trace = ask(url, authorization=f"Bearer {alice}")["trace_id"]
        given = {"trace_id": trace, "correct": True}
        assert send(url, "/feedback", given, authorization=f"Bearer {bob}")[0] == 404
        assert send(url, "/feedback", given, authorization=f"Bearer {alice}") == (200, {"trace_id": trace, "score": 1.0})
        assert send(url, "/feedback", given, authorization=f"Bearer {alice}")[0] == 409
        assert send(url, "/feedback", {"trace_id": trace}, authorization=f"Bearer {alice}")[0] == 400
        assert send(url, "/feedback", {"trace_id": "zz", "correct": True}, authorization=f"Bearer {alice}")[0] == 404
        assert send(url, f"/audit/{trace}", {"score": 1}, authorization=f"Bearer {alice}")[0] == 403


@pytest.mark.parametrize("text", [True, False])
def test_no_text_is_kept_unless_switched_on(text: bool, tmp_path: Path) -> None:
    with serving(lambda call: completion("the secret is 4", choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=text, audit=1.0) as url:  # fmt: skip
        trace = ask(url)["trace_id"]
        scored = send(url, "/feedback", {"trace_id": trace, "answer": "the secret is 4"})[1]["score"]
    assert scored == (1.0 if text else None)
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        kept = "\n".join(line for line in base.iterdump())
    assert ("secret" in kept) == text
    assert ("2+2" in kept) == text
    assert (tmp_path / "nosce.db").stat().st_mode & 0o777 == 0o600


def test_withheld_answers_are_drawn_too_and_only_audited_labels_move_the_shadow(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(policy(0.8, ("think",)).to_json())
    with serving(lambda call: completion("4", choice=sure(0.2 if call.number % 2 else 0.95))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", policy=tmp_path / "policy.json", risk=0.2, audit=1.0) as url:  # fmt: skip
        said = [ask(url) for _ in range(60)]
        assert {one["outcome"] for one in said} == {"answered", "abstained"}
        for one in said:
            send(url, "/feedback", {"trace_id": one["trace_id"], "correct": False})  # volunteered: must move nothing
        assert json.loads(get(url, "/v1/policies"))["data"] == []
        for one in said:
            last = send(url, f"/audit/{one['trace_id']}", {"score": float(one["outcome"] == "answered")})[1]
        assert last["shadow"]["promised"]
        assert ask(url)["outcome"] == "answered"
        newest = json.loads(get(url, "/v1/policies"))["data"][0]
        assert (newest["state"], newest["labels"]) == ("shadow", 60)
        assert send(url, f"/policies/{newest['id']}/promote", {})[1]["state"] == "live"
        assert "nosce_audit_labels 60.0" in get(url, "/metrics")


def test_the_drift_alarm_rings_when_confidence_lies_and_not_when_it_tells_the_truth(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, bias, alarm in (("true", 0.0, False), ("lying", 0.3, True)):
        store, p = Store(tmp_path / f"{name}.db"), rng.uniform(0.4, 1.0, 400)
        right = rng.random(400) < p - bias
        rows = [(f"t{i}", "k", 0.0, float(p[i]), "labelled", float(right[i]), float(i)) for i in range(400)]
        sql = "INSERT INTO audit(trace_id, key_id, at, raw, state, score, labelled) VALUES (?,?,?,?,?,?,?)"
        store.now([(sql, row) for row in rows])
        assert learning.drift(store).alarm is alarm
        store.close()


def test_the_alarm_rings_in_the_metrics_and_on_the_dashboard(tmp_path: Path) -> None:
    """A model that says 0.95 and is wrong: once auditors have said so often enough, whoever scrapes or looks is told."""
    with serving(lambda call: completion("4", choice=sure(0.95))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", audit=1.0) as url:  # fmt: skip
        traces = [ask(url)["trace_id"] for _ in range(40)]
        assert "nosce_drift_alarm 0" in get(url, "/metrics")
        for trace in traces:
            assert send(url, f"/audit/{trace}", {"score": 0})[0] == 200
        said = get(url, "/metrics")
        page = get(url, "/ui/drift")
    assert "nosce_drift_alarm 1" in said
    assert "nosce_confidence_gap -0.9" in said
    assert "alarm" in page.lower()


def test_forgetting_deletes_every_table(tmp_path: Path) -> None:
    with (
        serving(lambda call: completion("4")) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}", trace_text=True, audit=1.0) as url,
    ):
        trace = ask(url)["trace_id"]
        send(url, "/feedback", {"trace_id": trace, "correct": True})
        request = urllib.request.Request(f"{url}/traces/{trace}", method="DELETE")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.loads(answer.read())["deleted"]
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        for table in ("requests", "traces", "feedback", "audit"):
            assert base.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)
