"""What goes through the proxy untouched: bytes, statuses, headers, streams."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.serve.live import proxy
from tests.servers.stub import Raw, completion, serving


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of a POST."""
    request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}


def test_body_and_answer_go_through_as_they_came(tmp_path: Path) -> None:
    body = b'{"model": "small", "messages": [{"role": "user", "content": "hi \xc3\xa9"}], "temperature": 0.70, "x": null}'
    said = json.dumps(completion("4", system_fingerprint="fp", extra={"a": [1.50]})).encode()
    headers = {"content-type": "application/json", "openai-processing-ms": "7", "set-cookie": "a=b"}
    with (
        serving(lambda call: Raw(200, headers, (said,), "keep", len(said))) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}") as url,
    ):
        status, answer, headers = post(f"{url}/chat/completions", body, authorization="Bearer secret-of-the-caller")
    assert (status, answer) == (200, said)
    assert headers["openai-processing-ms"] == "7"
    assert "set-cookie" not in headers
    assert up.calls[0].body == {**json.loads(body), "model": "m"}
    assert "secret-of-the-caller" not in json.dumps(up.calls[0].headers)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_an_upstreams_refusal_comes_back_as_it_is(status: int, tmp_path: Path) -> None:
    with serving(lambda call: (status, {"error": {"message": "no"}})) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        assert post(f"{url}/chat/completions", b'{"model":"small"}')[:2] == (status, b'{"error": {"message": "no"}}')
    assert len(up.calls) == 1


def test_a_busy_upstream_is_reported_with_its_own_wait(tmp_path: Path) -> None:
    busy = Raw(429, {"content-type": "application/json", "retry-after": "9"}, (b"{}",), "keep", 2)
    with serving(lambda call: busy) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        status, _, headers = post(f"{url}/chat/completions", b'{"model":"small"}')
    assert (status, headers["retry-after"], len(up.calls)) == (429, "9", 1)


def test_an_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    with serving(lambda call: completion()) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        status, answer, _ = post(f"{url}/chat/completions", b'{"model":"smal"}')
    assert status == 404
    assert "did you mean small" in json.loads(answer)["error"]["message"]
    assert not up.calls


def test_a_failing_upstream_is_asked_again_and_then_another(tmp_path: Path) -> None:
    def flaky(call: Any) -> Any:
        return (503, {"error": "warming up"})

    with serving(flaky) as bad, serving(lambda call: completion("from the second")) as good:
        replicas = (f"small=openai:m@{bad.url}", f"small=openai:m@{good.url}")
        with proxy(tmp_path, *replicas) as url:
            answers = [post(f"{url}/chat/completions", b'{"model":"small"}') for _ in range(6)]
    assert all(status == 200 and b"from the second" in body for status, body, _ in answers)
    assert len(bad.calls) <= 2  # after its first failure it rests


@pytest.mark.parametrize(
    "reply", [Raw(200, {}, (b'{"choices": [',), "close", 13), Raw(200, {}, (b'{"a"',), "drop", 100), Raw(200, {}, (), "drop")]
)
def test_half_an_answer_is_none(reply: Raw, tmp_path: Path) -> None:
    with serving(lambda call: reply) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        status, answer, _ = post(f"{url}/chat/completions", b'{"model":"small"}')
    assert status == 502
    assert json.loads(answer)["error"]["type"] == "upstream_error"
