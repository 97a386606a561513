"""A body goes on byte for byte but for what is ours."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nosce.serve.wire import Body, Malformed

TEXT = st.text(st.sampled_from('aé"\\,{}:\n '), max_size=6)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(TEXT, VALUES, max_size=2)
OBJECTS = st.dictionaries(st.sampled_from(["model", "metacognition", "messages", "seed", "x", 'é"\\']), JSON)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OBJECTS, st.sampled_from([None, 1, 3]), st.booleans())
def test_what_goes_on_is_the_same_object_without_our_field(fields: dict[str, object], indent: int | None, ascii_: bool) -> None:
    body = Body.read(json.dumps(fields, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass"))
    assert body.fields == fields
    expected = {k: v for k, v in fields.items() if k != "metacognition"} | {"model": "m"}
    assert json.loads(body.passed_on(model="m")) == expected
    assert json.loads(body.passed_on(model="m", max_tokens=5)) == expected | {"max_tokens": 5}


def test_bytes_that_are_not_ours_stay() -> None:
    raw = b'{ "model" : "a",\n "temperature": 1.50e0, "messages":[ {"content":"\\u00e9", "model": "a"}], "metacognition": {"a":1} }'
    assert Body.read(raw).passed_on(model="b") == (
        b'{ "model" : "b",\n "temperature": 1.50e0, "messages":[ {"content":"\\u00e9", "model": "a"}] }'
    )
    assert Body.read(b'{"model":"a"}').passed_on(model="a") == b'{"model":"a"}'


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"nul", b'{"a":1', b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1}x', b'{"a":1,}', b'{"model":"a","model":"b"}',
        b"\xff{}", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' + b"9" * 5000 + b"}", b'{"a" 1}', b"{a:1}",
        b'{"a":"\n"}',
    ],
)  # fmt: skip
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Body.read(raw)
