"""Bodies that nobody means well with: whatever stands in a request, it ends in an answer or in a refusal that says why."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.serve.live import proxy
from tests.servers.stub import completion, serving

QUIET = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
HALF = "\ud800"
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([10**30, -(10**30), 10**400, -1, 0, "", HALF, "a\r\nx: y", "\x00", "nosce/auto", "../../etc/passwd", "file:///etc/passwd"]),
)  # fmt: skip
VALUES = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6
)
MESSAGE = st.dictionaries(
    st.sampled_from(["role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"]),
    VALUES | st.sampled_from(["user", "assistant", "tool"]), max_size=5,
)  # fmt: skip
SETTINGS = st.dictionaries(
    st.sampled_from(["strategy", "budget", "risk", "ask", "equivalence", "options", "seed", "events", "upstream", "x"]),
    VALUES | st.sampled_from(["auto", "critic", "mad", "pdr", "small", "tokens=5", {"k": 3}]), max_size=4,
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from([
        "messages", "input", "prompt", "instructions", "tools", "tool_choice", "response_format", "text", "reasoning", "n", "seed",
        "stop", "logprobs", "top_logprobs", "max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "stream",
        "stream_options", "reasoning_effort", "user", "metadata", "best_of", "previous_response_id", HALF,
    ]), VALUES, max_size=4,
)  # fmt: skip
PATHS = st.sampled_from(["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/feedback"])
MODELS = st.sampled_from(["small", "nosce/auto", "nosce/self-consistency", "nosce/critic", "nosce/mad", "socrates"])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("proxy")
    with (
        serving(lambda call: completion("4")) as up,
        proxy(folder, f"small=openai:m@{up.url}", demo=True, trace_text=True, audit=1.0) as url,
    ):
        yield url.split("/")[2]


def asked(address: str, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, said


def well(status: int, said: bytes) -> None:
    """An answer, or a refusal in OpenAI's form; both are JSON that every reader takes, or a stream."""
    assert status < 500, said
    if not said.startswith((b"data:", b":", b"event:")):
        data = json.loads(said.decode(), parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
        assert status == 200 or isinstance(data["error"]["message"], str)


@QUIET
@given(path=PATHS, model=MODELS | VALUES, fields=FIELDS, message=MESSAGE, how=SETTINGS | st.none())
def test_wrong_types_everywhere(address: str, path: str, model: Any, fields: Any, message: Any, how: Any) -> None:
    said = {"content": "2+2", "role": "user", **message}
    body = {
        "model": model,
        "messages": [said],
        "input": [said] if len(said) > 3 else "2+2",
        "prompt": "2+2",
        **fields,
        "metacognition": how,
    }
    if path == "/v1/feedback":
        body = {"trace_id": model, "correct": True, **fields}
    well(*asked(address, path, json.dumps(body).encode()))


@QUIET
@given(path=PATHS, data=st.binary(max_size=40), at=st.integers(0, 60))
def test_bytes_that_are_no_json(address: str, path: str, data: bytes, at: int) -> None:
    whole = b'{"model":"nosce/auto","messages":[{"role":"user","content":"2+2"}]}'
    well(*asked(address, path, whole[:at] + data + whole[at:]))


@pytest.mark.parametrize(
    "literal",
    [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 90 + b"]" * 90, b"[" * 100_000, b"0", b'"\xff"', b'"\\ud800"',
     b'{"a":1,"a":2}', b"'x'", b"01", b"0x1", b"\x00", b'"\x00"', b"nul", b"/**/1", b"-", b'"' + b"a" * 100_000 + b'"'],
)  # fmt: skip
def test_literals_that_are_not_quite_json(address: str, literal: bytes) -> None:
    messages = b'"messages":[{"role":"user","content":"2+2"}]'
    for path in ("/v1/chat/completions", "/v1/responses"):
        for model in (b"nosce/auto", b"small"):
            for field in (b"x", b"seed", b"n"):
                body = b'{"model":"' + model + b'",' + messages + b',"input":"2+2","' + field + b'":' + literal + b"}"
                well(*asked(address, path, body))
        well(*asked(address, path, b'{"model":"nosce/auto","messages":' + literal + b',"input":' + literal + b"}"))
