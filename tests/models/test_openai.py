"""A server that misbehaves costs a call, never a run: every call ends in samples or a ModelError, in bounded time."""

from __future__ import annotations

import asyncio
import json
import math
import resource
import sys
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))
from stub import Call, Raw, completion, logprobs, serving

from nosce.core.errors import CapabilityError, InputError, ModelError
from nosce.core.problem import Message
from nosce.models import _choices
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.models.openai import OpenAIModel
from nosce.models.probe import Feature, Probe

KEY = "sk-verysecret-0123456789"
ASK = Request(Prompt((Message("user", "2+2?"),)), max_tokens=5)
JSON = {"content-type": "application/json"}


def seen(**features: Any) -> Probe:
    """A probe that saw the given capabilities and the completions endpoint."""
    names = ("completions", *(k for k, v in features.items() if v))
    return Probe("", tuple(Feature(n, True, "") for n in names), prefill="assistant", most=4, capabilities=Capabilities(**features))


def ask(url: str, request: Request = ASK, **options: Any) -> list[Sample]:
    """The samples of one request, through a model with little patience."""

    async def run() -> list[Sample]:
        model = OpenAIModel("stub", url, **{"key": KEY, "timeout": 0.5, "deadline": 3.0, "retries": 2, "backoff": 0.01, **options})
        try:
            return await model.sample(request)
        finally:
            await model.close()

    return asyncio.run(run())


def once(bad: Any) -> Any:
    """Answers badly the first time, then well."""
    return lambda call: bad if call.number == 0 else completion()


def test_answer_usage_and_money() -> None:
    with serving(lambda call: completion("four")) as stub:
        (sample,) = ask(stub.url, price=(1.0, 2.0))
    assert sample == Sample("four", prompt_tokens=7, completion_tokens=1, money=9e-6)
    assert stub.calls[0].path == "/v1/chat/completions"
    assert stub.calls[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "bad",
    [
        (500, {"error": {"message": "boom"}}),
        (429, {"error": {"message": "slow down"}}),
        Raw(200, JSON, (b'{"choices": [{"mess',), length=19),
        Raw(200, JSON, (b'{"choices"',), "drop", 500),
        Raw(200, JSON, (b'{"choices"',), "hang", 500),
        Raw(200, {}, (), "drop"),
        Raw(200, JSON, (b"[1, 2]",), length=6),
        (200, {"error": {"message": "overloaded"}}),
    ],
    ids=["500", "429", "truncated", "dropped mid-body", "hangs mid-body", "dropped at once", "no object", "error with 200"],
)
def test_one_bad_answer_costs_a_retry_and_a_lasting_one_a_recorded_error(bad: Any) -> None:
    with serving(once(bad)) as stub:
        assert ask(stub.url)[0].text == "4"
        assert len(stub.calls) == 2
    with serving(lambda call: bad) as stub:
        began = time.monotonic()
        with pytest.raises(ModelError) as caught:
            ask(stub.url)
        assert time.monotonic() - began < 4
        assert len(stub.calls) == 3
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_body_without_end_is_cut_off_and_not_kept() -> None:
    for status in (200, 500):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with serving(lambda call, status=status: Raw(status, JSON, (), "endless")) as stub, pytest.raises(ModelError):
            ask(stub.url, timeout=30.0, retries=0, deadline=30.0)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    with serving(lambda call: Raw(after="hang")) as stub:
        began = time.monotonic()
        with pytest.raises(ModelError, match="no whole answer"):
            ask(stub.url, timeout=5.0, deadline=0.7, retries=50)
        assert 0.6 < time.monotonic() - began < 1.5


@pytest.mark.parametrize("value", [lambda: "0.6", lambda: formatdate(time.time() + 2, usegmt=True)], ids=["seconds", "date"])
def test_retry_after_is_obeyed(value: Any) -> None:
    with serving(
        lambda call: Raw(429, {**JSON, "retry-after": value()}, (b"{}",), length=2) if not call.number else completion()
    ) as stub:
        began = time.monotonic()
        assert ask(stub.url)[0].text == "4"
        assert time.monotonic() - began >= 0.6


def test_a_wait_longer_than_the_deadline_fails_at_once() -> None:
    with serving(lambda call: Raw(429, {**JSON, "retry-after": "3600"}, (b"{}",), length=2)) as stub:
        began = time.monotonic()
        with pytest.raises(ModelError, match="3600 s away"):
            ask(stub.url)
        assert time.monotonic() - began < 1
        assert len(stub.calls) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refusals_are_not_repeated_and_never_show_the_key(status: int) -> None:
    with serving(lambda call: (status, {"error": {"message": f"bad key {KEY}\nsecond line"}})) as stub:
        with pytest.raises(ModelError) as caught:
            ask(stub.url)
        assert len(stub.calls) == 1
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(status) in str(caught.value)


def test_the_key_is_in_no_repr_and_credentials_in_no_spec() -> None:
    model = OpenAIModel("m", "http://user:hunter22@127.0.0.1:1/v1", key=KEY, headers={"x-token": "tok-123456"})
    for text in (repr(model), model.spec, model.version, repr(model.endpoint)):
        assert KEY not in text
        assert "tok-123456" not in text
    assert "hunter22" not in model.spec
    with pytest.raises(ModelError) as caught:
        ask("http://user:hunter22@127.0.0.1:9/v1")
    assert "hunter22" not in str(caught.value)
    assert "is the server running?" in str(caught.value)


def test_check_refuses_before_a_token_is_spent() -> None:
    with pytest.raises(InputError, match="is the server running"):
        asyncio.run(OpenAIModel("m", "http://127.0.0.1:9/v1", backoff=0.01).check())
    with serving(lambda call: (401, {"error": {"message": "no"}})) as stub:
        with pytest.raises(InputError, match="OPENAI_API_KEY"):
            asyncio.run(OpenAIModel("m", stub.url).check())
        assert [c.path for c in stub.calls] == ["/v1/models"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -9999.0, 0, 0.7, None, "x", True])
def test_nonsense_log_probabilities_become_none(value: Any) -> None:
    with serving(lambda call: completion("4", choice=logprobs(("4", value)))) as stub:
        (sample,) = ask(stub.url, probe=seen(logprobs=True, top=1))
    assert (sample.text, sample.logprobs, sample.top) == ("4", None, None)


@pytest.mark.parametrize(
    "held", [None, {}, {"content": None}, {"content": []}, {"content": [{"token": "x"}]}, {"tokens": ["4"]}, 3]
)
def test_missing_log_probabilities_become_none(held: Any) -> None:
    with serving(lambda call: completion("a long answer of many tokens", choice={"logprobs": held})) as stub:
        (sample,) = ask(stub.url, probe=seen(logprobs=True))
    assert (sample.text, sample.logprobs) == ("a long answer of many tokens", None)


def test_one_impossible_or_missing_token_spoils_the_list() -> None:
    for pairs in ([("a", -0.5), ("b", -9999.0)], [("a", -0.5)]):
        text = "ab" if len(pairs) == 2 else "a and much more than that"
        with serving(lambda call, p=pairs, t=text: completion(t, choice=logprobs(*p))) as stub:
            assert ask(stub.url, probe=seen(logprobs=True))[0].logprobs is None


def test_good_log_probabilities_are_kept_and_cut_at_the_stop_string() -> None:
    choice = logprobs(("a", -0.5), ("b", -0.25), ("\n", -1.0), ("c", -2.0))
    with serving(lambda call: completion("ab\nc", choice=choice)) as stub:
        request = Request(ASK.prompt, max_tokens=5, stop=("\n",), top=1)
        (sample,) = ask(stub.url, request, probe=seen(logprobs=True, top=1))
    assert (sample.text, sample.logprobs, sample.finish) == ("ab", (-0.5, -0.25), "stop")
    assert sample.top == ((("a", -0.5),), (("b", -0.25),))


def test_a_certain_token_beside_a_possible_one_is_believed() -> None:
    token = _choices.Token("4", 0.0, top=(("4", 0.0), ("5", -20.0)))
    assert _choices.believable([token], "4")
    assert not _choices.believable([_choices.Token("4", 0.0)], "4")


def test_log_probabilities_that_no_probe_saw_are_not_trusted() -> None:
    with serving(lambda call: completion("4", choice=logprobs(("4", -0.5)))) as stub:
        assert ask(stub.url)[0].logprobs is None
        assert not {"logprobs", "seed", "n"} & set(stub.calls[0].body)


def many(call: Call) -> dict[str, Any]:
    """As many choices as asked for; 7 prompt tokens, 3 completion tokens a choice."""
    n = call.body.get("n", 1)
    choices = [{"index": i, "message": {"content": f"{call.body.get('seed', '')}:{i}"}, "finish_reason": "stop"} for i in range(n)]
    return completion(choices=choices[::-1], usage={"prompt_tokens": 7, "completion_tokens": 3 * n})


def test_n_in_one_call_where_seen_else_one_call_per_key_with_its_seed() -> None:
    request = Request(ASK.prompt, keys=(11, 12, 13))
    with serving(many) as stub:
        together = ask(stub.url, request, probe=seen(n=True, seed=True))
        assert [s.text for s in together] == ["11:0", "11:1", "11:2"]
        assert len(stub.calls) == 1
    with serving(many) as stub:
        alone = ask(stub.url, request, probe=seen(seed=True))
        assert [s.text for s in alone] == ["11:0", "12:0", "13:0"]
        assert len(stub.calls) == 3
    for samples in (together, alone):
        assert [(s.prompt_tokens, s.completion_tokens) for s in samples] == [(7, 3)] * 3


def test_no_more_in_one_call_than_the_probe_saw() -> None:
    with serving(many) as stub:
        samples = ask(stub.url, Request(ASK.prompt, keys=tuple(range(10, 20))), probe=seen(n=True, seed=True), concurrency=1)
        assert [s.text for s in samples] == [f"{k}:{i}" for k, n in ((10, 4), (14, 4), (18, 2)) for i in range(n)]
        assert sum(s.completion_tokens for s in samples) == 30


def test_usage_that_counts_one_choice_alone_is_not_believed() -> None:
    """Four choices of two tokens, of which the server counts one: the log-probabilities tell."""

    def answer(call: Call) -> dict[str, Any]:
        choices = [{"index": i, "message": {"content": "ab"}, **logprobs(("a", -0.5), ("b", -0.1))} for i in range(4)]
        return completion(choices=choices, usage={"prompt_tokens": 7, "completion_tokens": 2})

    with serving(answer) as stub:
        probe = replace(seen(n=True, logprobs=True), counts_all=False)
        samples = ask(stub.url, Request(ASK.prompt, keys=(1, 2, 3, 4)), probe=probe)
    assert [s.completion_tokens for s in samples] == [2, 2, 2, 2]


def test_a_server_that_gives_fewer_choices_is_asked_again() -> None:
    with serving(lambda call: completion("x")) as stub:
        assert len(ask(stub.url, Request(ASK.prompt, keys=(1, 2, 3)), probe=seen(n=True))) == 3
        assert len(stub.calls) == 3


def test_filters_are_switched_off_where_the_server_takes_that() -> None:
    taking = replace(seen(), features=(Feature("unfiltered", True, ""),))
    for probe, sent in ((None, (1.0, None, None)), (taking, (1.0, 0, 0.0))):
        with serving(lambda call: completion()) as stub:
            ask(stub.url, probe=probe)
        assert tuple(stub.calls[0].body.get(name) for name in ("top_p", "top_k", "min_p")) == sent


def test_one_failed_draw_fails_the_request() -> None:
    with (
        serving(lambda call: completion() if call.body["seed"] == 1 else (400, {})) as stub,
        pytest.raises(ModelError, match="400"),
    ):
        ask(stub.url, Request(ASK.prompt, keys=(1, 2)), probe=seen(seed=True))


def test_no_usage_is_estimated_and_counted() -> None:
    with serving(lambda call: {k: v for k, v in completion("one two three").items() if k != "usage"}) as stub:
        model = OpenAIModel("stub", stub.url)
        (sample,) = asyncio.run(model.sample(ASK))
    assert model.estimated == 1
    assert sample.completion_tokens == 4  # ceil(3/3) + ceil(3/3) + ceil(5/3)
    assert sample.prompt_tokens == 4 + 6  # four marks and one turn


def test_the_newer_name_of_the_token_limit_is_learned() -> None:
    def picky(call: Call) -> Any:
        old = "max_tokens" in call.body
        return (400, {"error": {"message": "use 'max_completion_tokens' instead"}}) if old else completion()

    with serving(picky) as stub:
        assert ask(stub.url)[0].text == "4"
        assert stub.calls[1].body["max_completion_tokens"] == 5


def test_raw_text_goes_to_completions_and_prefixes_need_a_probe() -> None:
    with serving(lambda call: {"choices": [{"text": " 4", "finish_reason": "length"}], "usage": {}}) as stub:
        (sample,) = ask(stub.url, Request(Prompt(text="2+2=", prefix="so"), max_tokens=5))
        assert (sample.text, sample.finish) == (" 4", "length")
        assert (stub.calls[0].path, stub.calls[0].body["prompt"]) == ("/v1/completions", "2+2=so")
        prefixed = Request(Prompt(ASK.prompt.messages, prefix="so"))
        with pytest.raises(CapabilityError, match="continuation"):
            ask(stub.url, prefixed)
        with pytest.raises(CapabilityError, match="bias"):
            ask(stub.url, Request(ASK.prompt, bias={"a": 1.0}))
        assert len(stub.calls) == 1
    with serving(lambda call: completion()) as stub:
        ask(stub.url, prefixed, probe=seen(continuation=True))
        assert stub.calls[0].body["messages"][-1] == {"role": "assistant", "content": "so"}


@pytest.mark.parametrize(
    "answer", [{"choices": []}, {"choices": [{}]}, {"choices": [{"message": {"content": 3}}]}, {}, {"choices": 1}]
)
def test_answers_without_text_are_model_errors(answer: Any) -> None:
    with serving(lambda call: answer) as stub, pytest.raises(ModelError, match="cannot be read"):
        ask(stub.url)


def test_at_most_so_many_calls_at_once_and_all_faults_mixed_end() -> None:
    """300 draws against a server with every fault: each ends, and the whole in bounded time."""
    faults = [
        (500, {}), (429, {}), Raw(200, JSON, (b'{"ch',), "drop", 99), Raw(after="hang"),
        Raw(200, JSON, (b"{",), length=1), completion("ok"), completion("ok"), completion("ok"),
    ]  # fmt: skip

    async def run(url: str) -> list[Any]:
        model = OpenAIModel("m", url, timeout=0.5, deadline=6.0, retries=3, backoff=0.01, concurrency=16)
        try:
            return await asyncio.gather(*(model.sample(ASK) for _ in range(300)), return_exceptions=True)
        finally:
            await model.close()

    with serving(lambda call: faults[call.number % 8]) as stub:
        began = time.monotonic()
        ends = asyncio.run(run(stub.url))
        assert time.monotonic() - began < 60
    assert all(isinstance(e, ModelError) or e[0].text == "ok" for e in ends)
    assert sum(isinstance(e, list) for e in ends) > 150


@pytest.mark.parametrize("bad", [{"timeout": 0}, {"deadline": float("inf")}, {"retries": -1}, {"concurrency": 0}, {"price": (1,)}])
def test_senseless_options_are_refused(bad: Any) -> None:
    with pytest.raises(InputError):
        OpenAIModel("m", "http://127.0.0.1:1", **bad)


@given(st.integers(0, 10_000), st.lists(st.floats(0, 1000), min_size=1, max_size=20))
def test_shares_add_up(total: int, weights: list[float]) -> None:
    parts = _choices.shares(total, weights)
    assert sum(parts) == total
    assert all(p >= 0 for p in parts)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["choices", "message", "content", "text", "logprobs", "tokens", "token_logprobs",
                                       "top_logprobs", "token", "logprob", "usage", "prompt_tokens", "index"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["choices", "usage"]), JSONISH), JSONISH)
def test_any_json_is_samples_or_a_value_error(data: dict[str, Any], held: Any) -> None:
    for answer in (data, completion("ab", choice={"logprobs": held})):
        answer = json.loads(json.dumps(answer))
        _choices.usage_of(answer)
        try:
            samples = [_choices.sample_of(c, ("b",), 2) for c in _choices.choices_of(answer)]
        except ValueError:
            continue
        assert all(math.isfinite(v) and v <= 0 for s in samples for v in s.logprobs or ())
