"""Lots for the audit fall on every kind of question alike, before anything is known of the answer."""

import json
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests.serve.live import proxy
from tests.serve.streams import chunks
from tests.serve.test_feedback import get, send
from tests.serve.test_passing import post
from tests.serve.test_wrap import policy, sure
from tests.servers.stub import Call, completion, serving

from nosce.serve import learning
from nosce.serve.auditing import drawn, passed_answer
from nosce.serve.store import Store

SHARE, EACH = 0.3, 150
DELTA = b'data: {"type":"response.output_text.delta","delta":"%s"}\n\n'
CHUNK = b'data: {"choices":[{"index":%d,"delta":{"content":"%s"}}]}\n\n'
KINDS = {
    "passed": {"model": "small"}, "streamed": {"model": "small", "stream": True}, "answered": {"model": "nosce/auto", "seed": 1},
    "withheld": {"model": "nosce/auto", "seed": 2},
}  # fmt: skip


def reply(call: Call) -> object:
    """Sure for seed 1, unsure for seed 2."""
    if call.body.get("stream"):
        return chunks("fo", "ur")
    return completion("four", choice=sure(0.2 if call.body.get("seed") == 2 else 0.95))


def test_every_kind_is_drawn_at_the_same_rate(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(policy(0.8, ("think",)).to_json())
    settings = {"policy": tmp_path / "policy.json", "risk": 0.2, "audit": SHARE, "trace_text": True}
    with serving(reply) as up, proxy(tmp_path, f"small=openai:m@{up.url}", **settings) as url:
        messages = [{"role": "user", "content": "2+2"}]
        bodies = [json.dumps({**kind, "messages": messages}).encode() for kind in KINDS.values() for _ in range(EACH)]
        with ThreadPoolExecutor(8) as pool:
            assert {answer[0] for answer in pool.map(lambda body: post(f"{url}/chat/completions", body), bodies)} == {200}
        post(f"{url}/embeddings", b'{"model":"small","input":"x"}')
        waiting = json.loads(get(url, "/v1/audit?limit=1000"))["data"]
        passed = next(row for row in waiting if json.loads(row["data"])["outcome"] == "passed")
        send(url, f"/audit/{passed['trace_id']}", {"score": 0})
        assert "nosce_audit_labels 0.0" in get(url, "/metrics")  # it stated no confidence, so it moves no threshold
    with sqlite3.connect(tmp_path / "nosce.db") as base:
        sql = "SELECT a.data, r.streamed, a.answer, a.question, a.raw FROM audit a JOIN requests r USING(trace_id)"
        rows = base.execute(sql).fetchall()
    kinds = Counter((json.loads(data)["outcome"], streamed) for data, streamed, *_ in rows)
    assert set(kinds) == {("passed", 0), ("passed", 1), ("answered", 0), ("abstained", 0)}
    for count in kinds.values():
        assert stats.binomtest(count, EACH, SHARE).pvalue > 1e-5
    assert {row[2] for row in rows} == {"four"}
    assert {row[3] for row in rows} == {json.dumps(messages, separators=(",", ":"))}
    assert {row[4] is None for row in rows if json.loads(row[0])["outcome"] == "passed"} == {True}


def test_the_share_of_lots() -> None:
    hits = sum(drawn(0.02, "/v1/responses") for _ in range(20_000))
    assert stats.binomtest(hits, 20_000, 0.02).pvalue > 1e-6
    assert not any(drawn(0.0, "/v1/responses") for _ in range(1000))
    assert all(drawn(1.0, "/v1/responses") for _ in range(1000))
    assert not drawn(1.0, "/v1/embeddings")


def test_the_shadow_threshold_keeps_its_risk_on_audited_labels_and_what_people_volunteer_moves_nothing(tmp_path: Path) -> None:
    """60 servers, each with 400 audited labels: P(right) is the confidence to the power 2, so the risk at a threshold t is known
    in closed form, 1 − ∫p² / ∫1 = 1 − (1 − t³) / (3 (1 − t)); people praise everything."""
    rng, broken, risk = np.random.default_rng(0), 0, 0.2
    for number in range(60):
        store, p = Store(tmp_path / f"{number}.db"), rng.uniform(0, 1, 400)
        right = rng.random(400) < p**2
        praise = [("INSERT INTO feedback(trace_id, key_id, at, score) VALUES (?,'k',0,1)", (f"t{i}",)) for i in range(400)]
        store.now(praise)
        assert learning.shadow(store, risk) is None
        sql = "INSERT INTO audit(trace_id, key_id, at, raw, state, score, labelled) VALUES (?,'k',0,?,'labelled',?,?)"
        store.now([(sql, (f"t{i}", float(p[i]), float(right[i]), float(i))) for i in range(400)])
        found = learning.shadow(store, risk)
        assert found is not None
        t = found["least"]
        broken += t is not None and 1 - (1 - t**3) / (3 * (1 - t)) > risk
        store.close()
    assert stats.binomtest(broken, 60, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize(
    ("kept", "said"),
    [(b'{"choices":[{"index":0,"message":{"content":"hi"}}]}', "hi"), (b'{"choices":[{"text":"hi"}]}', "hi"),
     (b'{"output":[{"content":[{"type":"output_text","text":"hi"}]}]}', "hi"),
     (b'{"choices":[{"message":{"content":null}}]}', None), (b'{"output":[7,{"content":[7]}]}', None),
     (DELTA % b"h" + DELTA % b"i", "hi"), (CHUNK % (0, b"hi") + CHUNK % (1, b"no"), "hi"),
     (b'{"choices":[{"message":{"cont', None), (b"\xff", None), (b'{"choices":7,"output":7}', None)],
)  # fmt: skip
def test_the_text_of_an_answer_that_was_passed_on(kept: bytes, said: str | None) -> None:
    assert passed_answer(kept) == said
