"""The fields of JSON: found, agreed on, and as likely as their tokens, by hand and against the standard reader."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nosce.core.attempt import Attempt
from nosce.monitor.fields import agreement, fields_of, probability, same_scalar, weakest


def test_every_scalar_by_its_path_and_place():
    text = 'Here it is:\n```json\n{"name": "Ann", "ages": [3, {"b": null}], "ok" : true}\n```'
    found = fields_of(text)
    assert found.values == {"$.name": "Ann", "$.ages[0]": 3, "$.ages[1].b": None, "$.ok": True}
    assert {path: text[a:b] for path, (a, b) in found.spans.items()} == {
        "$.name": '"Ann"', "$.ages[0]": "3", "$.ages[1].b": "null", "$.ok": "true",
    }  # fmt: skip
    assert json.loads(text[found.start : found.end])["ages"][0] == 3


@pytest.mark.parametrize("text", ["", "no braces", "{broken", '{"a": }', "{a: 1}", '{"a" 1}', '{"a": 1 "b": 2}', "[1, 2"])
def test_what_is_no_json_has_no_fields(text):
    assert fields_of(text) is None


def test_the_last_one_counts():
    assert fields_of('{"a": 1} or rather {"a": 2}').values == {"$.a": 2}
    assert fields_of('{oops {"a": 2}').values == {"$.a": 2}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(max_size=4), JSON, min_size=1, max_size=3), st.sampled_from([None, 1]))
def test_reads_what_the_standard_reader_reads(value, indent):
    text = json.dumps(value, indent=indent)
    found = fields_of(f"so: {text} .")
    assert f"so: {text} ."[found.start : found.end] == text
    assert all(json.loads(f"so: {text} ."[a:b]) == found.values[path] for path, (a, b) in found.spans.items())


def test_agreement_counts_all_samples_the_broken_ones_too():
    texts = ('{"a": "Ann ", "b": 2}', '{"a": "ann", "b": 3}', '{"a": "Bob"}', "nothing")
    found = agreement([Attempt(f"n{i}", text, None) for i, text in enumerate(texts)])
    assert found == {"$.a": 0.5, "$.b": 0.25}
    assert weakest(found) == 0.25
    assert agreement([Attempt("n", "nothing", None)]) is None
    assert weakest({}) is None


def test_scalars_are_the_same_by_value():
    assert same_scalar(2, 2.0)
    assert same_scalar("New  York", "new york")
    assert not same_scalar(1, True)
    assert not same_scalar("2", 2)
    assert same_scalar(None, None)


def test_probability_of_a_field_is_that_of_its_tokens(scripted_mind):
    pieces = ('{"a": ', '"x', 'y"', ', "b":', " 2", "}")
    chances = (0.9, 0.5, 0.4, 0.9, 0.7, 1.0)
    logs = tuple(math.log(p) for p in chances)
    top = tuple(((piece, lp), (" else", -9.0)) for piece, lp in zip(pieces, logs, strict=True))
    attempt = Attempt("n", "".join(pieces), None, logprobs=logs, top=top)
    assert probability(attempt, scripted_mind) == pytest.approx({"$.a": 0.2, "$.b": 0.7})
    assert probability(Attempt("n", "".join(pieces), None, logprobs=logs), scripted_mind) is None
