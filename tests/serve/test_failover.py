"""Several upstreams: who is asked when one fails, how long is waited before it is asked again, and what an answer cost."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from tests.serve.live import proxy_of
from tests.serve.test_passing import post
from tests.servers.stub import Raw, completion, serving

from nosce.serve.config import Config, Limits, Upstream
from nosce.serve.keys import Keys
from nosce.serve.store import Store
from nosce.serve.upstreams import Upstreams

HI: list[Any] = [{"role": "user", "content": "2+2"}]
DOWN: list[Any] = [(503, {"error": {"message": "busy"}}), Raw(after="drop"), (429, {"error": {"message": "slow down"}})]


def one(url: str, **more: Any) -> Upstream:
    return Upstream(model=f"openai:m@{url}", **more)


def body(model: str, **more: Any) -> bytes:
    return json.dumps({"model": model, "messages": HI, **more}).encode()


@pytest.mark.parametrize("fault", DOWN)
@pytest.mark.parametrize("model", ["small", "nosce/think"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_alias_that_fails_is_stood_in_for_by_its_fallback(fault: Any, model: str, stream: bool, tmp_path: Path) -> None:
    """The caller's request goes on as it is, under the model's name that the fallback serves."""
    with serving(lambda call: fault) as down, serving(lambda call: completion("from big")) as big:
        upstreams = {
            "small": (one(down.url, fallback=("big",), retries=0),),
            "big": (Upstream(model=f"openai:big-m@{big.url}", retries=0),),
        }
        with proxy_of(Config(upstreams=upstreams, database=tmp_path / "nosce.db", port=0)) as url:
            status, said, _ = post(f"{url}/chat/completions", body(model, stream=stream, seed=3))
            assert (status, b"from big" in said) == (200, True)
            assert len(down.calls) == 1
            post(f"{url}/chat/completions", body(model))
            assert len(down.calls) == 1  # it rests
            well = json.loads(_get(url, "/health"))["upstreams"]
    assert (well["small"][0]["healthy"], well["big"][0]["healthy"]) == (False, True)
    assert (big.calls[0].body["model"], big.calls[0].body["seed"]) == ("big-m", 3)


def _get(url: str, path: str) -> bytes:
    import urllib.request

    with urllib.request.urlopen(url.removesuffix("/v1") + path, timeout=10) as answer:
        said: bytes = answer.read()
    return said


def test_a_refusal_for_good_goes_to_no_other(tmp_path: Path) -> None:
    with serving(lambda call: (400, {"error": {"message": "no"}})) as up, serving(lambda call: completion()) as other:
        upstreams = {"small": (one(up.url, fallback=("big",)),), "big": (one(other.url),)}
        with proxy_of(Config(upstreams=upstreams, database=tmp_path / "nosce.db", port=0)) as url:
            assert post(f"{url}/chat/completions", body("small"))[0] == 400
    assert (len(up.calls), len(other.calls)) == (1, 0)


def test_waits_before_another_try_are_uniform_up_to_a_bound_that_doubles() -> None:
    config = Config(upstreams={"small": (one("http://127.0.0.1:9/v1", retries=4),)})
    rounds = [[wait for _, wait in Upstreams(config).tries("small")] for _ in range(400)]
    assert {len(waits) for waits in rounds} == {5}
    for again, waits in enumerate(zip(*rounds, strict=True)):
        if again == 0:
            assert set(waits) == {0.0}
        else:
            assert stats.kstest(waits, stats.uniform(0, 0.25 * 2 ** (again - 1)).cdf).pvalue > 1e-4


def test_a_failed_replica_rests_longer_each_time_and_not_at_all_once_it_answers() -> None:
    replica = Upstreams(Config(upstreams={"small": (one("http://127.0.0.1:9/v1"),)})).replicas["small"][0]
    for failures in range(1, 9):
        replica.ill("down")
        rest = replica.rests_until - time.monotonic()
        most = min(30.0, 2.0 ** (failures - 1))
        assert most / 2 - 0.1 <= rest <= most
    replica.well()
    assert replica.healthy


@pytest.mark.parametrize("model", ["small", "nosce/think"])
def test_what_an_answer_cost_is_its_tokens_at_the_price_of_who_answered(model: str, tmp_path: Path) -> None:
    """7 prompt tokens at $100 and 1 token at $300 a million; a day of $0.0025 is used up after three."""
    store = Store(tmp_path / "nosce.db")
    key = Keys(store, Limits()).make("alice", dollars_per_day=0.0025)
    store.close()
    with serving(lambda call: completion("4")) as up:
        config = Config(upstreams={"small": (one(up.url, price=(100.0, 300.0)),)}, database=tmp_path / "nosce.db", port=0)
        with proxy_of(config) as url:
            said = [post(f"{url}/chat/completions", body(model), authorization=f"Bearer {key}") for _ in range(4)]
            assert [status for status, *_ in said] == [200, 200, 200, 429]
            if model != "small":
                assert said[0][2]["x-nosce-cost"] == "tokens=8; calls=1; money=0.001"
                assert json.loads(said[0][1])["metacognition"]["cost"]["money"] == pytest.approx(0.001)
            time.sleep(0.1)
            with sqlite3.connect(tmp_path / "nosce.db") as base:
                spent = [row[0] for row in base.execute("SELECT money FROM requests")]
    assert spent == pytest.approx([0.001] * 3)


def test_nothing_drawn_for_one_request_serves_another(tmp_path: Path) -> None:
    """The draw cache is off: whoever asks the same again is answered anew, and pays."""
    with serving(lambda call: completion(str(call.number))) as up:
        config = Config(upstreams={"small": (one(up.url),)}, database=tmp_path / "nosce.db", port=0)
        with proxy_of(config) as url:
            answers = [json.loads(post(f"{url}/chat/completions", body("nosce/think", seed=1))[1]) for _ in range(3)]
    assert [answer["choices"][0]["message"]["content"] for answer in answers] == ["0", "1", "2"]
    assert [answer["usage"]["num_calls"] for answer in answers] == [1, 1, 1]
