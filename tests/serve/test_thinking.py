"""Strategies through the proxy, asked by the official package."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.serve.live import proxy
from tests.serve.running import running
from tests.serve.test_passing import post
from tests.serve.test_wrap import City, policy, sure
from tests.servers.stub import Call, Raw, completion, serving

from nosce.core.registry import registry
from nosce.serve.servable import names

HI: list[Any] = [{"role": "user", "content": "2+2"}]


def client(url: str, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0, **more)


def test_a_normal_response_with_what_is_known_of_it(tmp_path: Path) -> None:
    with serving(lambda call: completion("4", id="chatcmpl-up", system_fingerprint="fp", choice=sure(0.9))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}") as url:  # fmt: skip
        raw = client(url).chat.completions.with_raw_response.create(model="nosce/auto", messages=HI, seed=3)
        made = raw.parse()
    said = made.metacognition  # type: ignore[attr-defined]
    assert (made.id, made.system_fingerprint, made.choices[0].message.content) == ("chatcmpl-up", "fp", "4")
    assert {"confidence", "source", "calibrated", "outcome", "reason", "cost", "signals", "trace_id"} <= set(said)
    assert raw.headers["x-nosce-outcome"] == "answered"
    assert float(raw.headers["x-nosce-confidence"]) == pytest.approx(0.9)
    assert raw.headers["x-nosce-cost"].startswith("tokens=8; calls=1")
    assert raw.headers["x-nosce-trace-id"] == said["trace_id"]
    assert up.calls[0].body["seed"] == 3
    assert "metacognition" not in up.calls[0].body


def test_a_strategy_on_a_named_upstream_by_extra_body(tmp_path: Path) -> None:
    with serving(lambda call: completion(str(call.number % 2))) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        body = {"metacognition": {"strategy": "self-consistency", "options": {"k": 3}}}
        made = client(url).chat.completions.create(model="small", messages=HI, extra_body=body)
    assert made.usage is not None
    assert made.usage.model_extra == {**(made.usage.model_extra or {}), "num_calls": 3}
    assert made.usage.prompt_tokens == 21
    assert made.choices[0].message.content == "0"


def test_usage_sums_details_too(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 1}}
    with serving(lambda call: completion("4", usage=usage)) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        made = client(url).chat.completions.create(
            model="nosce/self-consistency", messages=HI, extra_body={"metacognition": {"options": {"k": 4}}}
        )
    assert made.usage is not None
    assert made.usage.completion_tokens_details is not None
    assert (made.usage.total_tokens, made.usage.completion_tokens_details.reasoning_tokens) == (28, 4)


def test_a_stream_says_what_happens_and_then_the_answer(tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        asked = {"model": "nosce/auto", "messages": HI, "stream": True, "stream_options": {"include_usage": True}}
        _, raw, headers = post(f"{url}/chat/completions", json.dumps(asked).encode())
        pieces = list(client(url).chat.completions.create(**asked))
        told = list(client(url).chat.completions.create(**asked, extra_body={"metacognition": {"events": True}}))
    assert headers["content-type"].startswith("text/event-stream")
    assert raw.count(b": nosce {") >= 4
    assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == "4"
    assert [p.choices[0].finish_reason for p in pieces if p.choices][-1] == "stop"
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.prompt_tokens == 7 * pieces[-1].usage.model_extra["num_calls"]  # type: ignore[index]
    assert next(p for p in pieces if p.model_extra and "metacognition" in p.model_extra).metacognition["outcome"] == "answered"  # type: ignore[attr-defined]
    assert "sampled" in [p.metacognition["status"]["status"] for p in told if not p.choices and not p.usage]  # type: ignore[attr-defined]


def test_tool_calls_stream_as_such(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    tools: list[Any] = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    with serving(lambda _: completion(choice={"message": message, "finish_reason": "tool_calls"})) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}") as url, \
         client(url).chat.completions.stream(model="nosce/auto", messages=HI, tools=tools) as stream:  # fmt: skip
        made = stream.get_final_completion()
    assert made.choices[0].message.tool_calls is not None
    assert made.choices[0].message.tool_calls[0].function.arguments == '{"city":"Oslo"}'
    assert made.choices[0].finish_reason == "tool_calls"


def test_structured_output(tmp_path: Path) -> None:
    with (
        serving(lambda call: completion('{"name": "Oslo", "people": 7}')) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}") as url,
    ):
        made = client(url).chat.completions.parse(model="nosce/auto", messages=HI, response_format=City)
    assert made.choices[0].message.parsed == City(name="Oslo", people=7)


def test_an_abstention_is_a_refusal_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(policy(0.8, ("think",)).to_json())
    with serving(lambda call: completion('{"name": "Oslo", "people": 7}', choice=sure(0.2))) as up, \
         proxy(tmp_path, f"small=openai:m@{up.url}", policy=tmp_path / "policy.json", risk=0.1) as url:  # fmt: skip
        made = client(url).chat.completions.parse(model="nosce/auto", messages=HI, response_format=City)
        streamed = list(client(url).chat.completions.create(model="nosce/auto", messages=HI, stream=True))
        response = client(url).responses.create(model="nosce/auto", input="2+2")
    assert (made.choices[0].message.parsed, made.choices[0].message.content) == (None, None)
    assert "not sure enough" in str(made.choices[0].message.refusal)
    assert made.metacognition["outcome"] == "abstained"  # type: ignore[attr-defined]
    assert "not sure enough" in "".join(p.choices[0].delta.refusal or "" for p in streamed)
    assert response.output[0].content[0].type == "refusal"  # type: ignore[union-attr]


def test_the_first_thought_of_a_process_holds_up_nobody(tmp_path: Path) -> None:
    """What thinking needs takes seconds to load: meanwhile others are answered, and the question waits."""
    with serving(lambda call: completion("4")) as up, running(tmp_path / "nosce.db", "-u", f"small=openai:m@{up.url}") as server:

        def think() -> None:
            assert server.post("/chat/completions", {"model": "nosce/auto", "messages": HI})[0] == 200

        thinker, others = threading.Thread(target=think), 0
        thinker.start()
        while thinker.is_alive():
            others += server.post("/chat/completions", {"model": "small", "messages": HI})[0] == 200
        thinker.join()
        assert server.get("/v1/models")[0] == 200
    assert others >= 10
    assert len(up.calls) == others + 4  # what was thought in order to load it asked nobody


def test_doubt_asks_back_where_the_caller_lets_it(tmp_path: Path) -> None:
    def answer(call: Call) -> Any:
        asks = "2+2" not in str(call.body["messages"][-1]["content"]).split("\n\n")[-1]
        return completion("Which base do you count in?") if asks else completion("4", choice=sure(0.2))

    (tmp_path / "policy.json").write_text(policy(0.8, ("think",)).to_json())
    with serving(answer) as up, proxy(tmp_path, f"small=openai:m@{up.url}", policy=tmp_path / "policy.json", risk=0.1) as url:
        made = client(url).chat.completions.create(model="nosce/auto", messages=HI, extra_body={"metacognition": {"ask": True}})
    assert made.metacognition["outcome"] == "asked"  # type: ignore[attr-defined]
    assert (made.choices[0].message.content, made.choices[0].message.refusal) == ("Which base do you count in?", None)
    assert made.usage is not None
    assert made.usage.num_calls == len(up.calls) == 2  # type: ignore[attr-defined]


def test_no_tool_of_the_servers_runs_for_a_caller(tmp_path: Path) -> None:
    """Whatever a caller offers and a model writes, what runs are calls to upstreams; a tool call goes back to the caller."""
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')"
    words = f"<tool> python {code} </tool>\n```python\n{code}\n```\npython({code})"
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("python", "calculator")]
    for name in names():
        assert not registry.find(name).needs & {"tools", "env"}
    with serving(lambda call: completion(words)) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        for name in names():
            body = {"model": f"nosce/{name}", "messages": HI, "tools": tools, "reasoning_effort": "low"}
            assert post(f"{url}/chat/completions", json.dumps(body).encode())[0] in (200, 422)  # some take a second model
    assert up.calls
    assert not mark.exists()


def test_doubt_escalates_to_the_strong_upstream(tmp_path: Path) -> None:
    import dataclasses

    made = dataclasses.replace(policy(0.8, ("think", "strong")), model="m", strong="big-m")
    (tmp_path / "policy.json").write_text(made.to_json())
    with (
        serving(lambda call: completion("5", choice=sure(0.4))) as weak,
        serving(lambda call: completion("4", choice=sure(0.95))) as big,
    ):
        both = (f"small=openai:m@{weak.url}", f"big=openai:big-m@{big.url}")
        with proxy(tmp_path, *both, strong="big", policy=tmp_path / "policy.json") as url:
            answer = client(url).chat.completions.create(model="nosce/auto", messages=HI)
    assert (answer.choices[0].message.content, len(weak.calls), len(big.calls)) == ("4", 1, 1)
    assert big.calls[0].body["model"] == "big-m"
    assert answer.metacognition["confidence"] == pytest.approx(0.95)  # type: ignore[attr-defined]


def test_responses_whole_and_streamed(tmp_path: Path) -> None:
    tools: list[Any] = [{"type": "function", "name": "weather", "parameters": {}, "strict": False}]
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        whole = client(url).responses.create(
            model="nosce/auto", instructions="Be brief.", input="2+2", tools=tools, max_output_tokens=9
        )
        with client(url).responses.stream(model="nosce/auto", input=[{"role": "user", "content": "2+2"}]) as stream:
            events = [event.type for event in stream]
            final = stream.get_final_response()
    assert whole.output_text == final.output_text == "4"
    assert up.calls[0].body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2"}]
    assert (up.calls[0].body["max_tokens"], up.calls[0].body["tools"][0]["function"]["name"]) == (9, "weather")
    assert events[0] == "response.created"
    assert events[-1] == "response.completed"
    assert whole.usage is not None
    assert whole.usage.input_tokens == 7 * whole.usage.model_extra["num_calls"]  # type: ignore[index]


def test_a_text_completion_thinks_too(tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        made = client(url).completions.create(model="nosce/auto", prompt="2+2=")
        streamed = "".join(
            c.choices[0].text for c in client(url).completions.create(model="nosce/auto", prompt="2+2=", stream=True)
        )
    assert made.choices[0].text == streamed == "4"
    assert up.calls[0].path == "/v1/chat/completions"


def test_n_choices_come_back(tmp_path: Path) -> None:
    with (
        serving(lambda call: completion("5" if call.number == 0 else "4")) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}") as url,
    ):
        made = client(url).chat.completions.create(model="nosce/auto", messages=HI, n=3)
    assert [c.index for c in made.choices] == [0, 1, 2]
    assert [c.message.content for c in made.choices] == ["4", "5", "4"]


def test_effort_is_a_budget_and_a_callers_budget_is_clamped(tmp_path: Path) -> None:
    from nosce.serve.config import Limits

    with serving(lambda call: completion(str(call.number))) as up:
        with proxy(tmp_path, f"small=openai:m@{up.url}") as url:
            client(url).chat.completions.create(model="nosce/self-consistency", messages=HI, reasoning_effort="low")
            assert len(up.calls) == 2
            assert up.calls[0].body["reasoning_effort"] == "low"
        with proxy(tmp_path, f"small=openai:m@{up.url}", limits=Limits(calls=3)) as url:
            body = {"metacognition": {"budget": {"calls": 1000}}}
            client(url).chat.completions.create(model="nosce/self-consistency", messages=HI, extra_body=body)
            assert len(up.calls) == 5


def test_a_server_that_gives_several_choices_a_call_costs_no_call_more_than_its_effort(tmp_path: Path) -> None:
    """Once it was seen to give several, ten draws are two calls; and the first call is still the request as it was asked."""

    def several(call: Call) -> Any:
        choice = completion(str(call.number))["choices"][0]
        return {**completion(), "choices": [{**choice, "index": i} for i in range(call.body.get("n") or 1)]}

    with serving(several) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        ten: dict[str, Any] = {"model": "nosce/self-consistency", "messages": HI, "seed": 5}
        ten["extra_body"] = {"metacognition": {"options": {"k": 10}}}
        client(url).chat.completions.create(**ten)
        for effort, calls in (("none", 1), ("low", 2), ("max", 2)):
            first = len(up.calls)
            made = client(url).chat.completions.create(**ten, reasoning_effort=effort)
            assert made.usage is not None
            assert len(up.calls) - first == made.usage.num_calls == calls  # type: ignore[attr-defined]
            assert (up.calls[first].body["n"], up.calls[first].body["seed"]) == (8, 5)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"metacognition": {"risk": 7}}, 400, "metacognition.risk"), ({"metacognition": {"strategie": "auto"}}, 400, "strategie"),
        ({"metacognition": {"equivalence": "callable"}}, 400, "equivalence"), ({"metacognition": []}, 400, "object"),
        ({"model": "nosce/atuo"}, 400, "did you mean auto"), ({"model": "nosce/east"}, 400, "cannot be served"),
        ({"metacognition": {"upstream": "http://evil/v1"}}, 404, "unknown model"), ({"messages": "x"}, 400, "messages"),
        ({"metacognition": {"options": {"zzz": 1}}}, 400, "zzz"), ({"n": 10**9}, 400, "n="),
        ({"model": "openai:x@http://evil"}, 404, "unknown"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_before_a_token_is_spent(body: dict[str, Any], status: int, said: str, tmp_path: Path) -> None:
    with serving(lambda call: completion("4")) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        code, answer, _ = post(f"{url}/chat/completions", json.dumps({"model": "nosce/auto", "messages": HI, **body}).encode())
    assert (code, len(up.calls)) == (status, 0)
    assert said in json.loads(answer)["error"]["message"]


def test_an_upstreams_refusal_of_a_strategys_call_is_passed_back(tmp_path: Path) -> None:
    with (
        serving(lambda call: (401, {"error": {"message": "bad key", "code": "invalid"}})) as up,
        proxy(tmp_path, f"small=openai:m@{up.url}") as url,
    ):
        with pytest.raises(openai.AuthenticationError, match="bad key"):
            client(url).chat.completions.create(model="nosce/auto", messages=HI)
        with pytest.raises(openai.APIError, match="bad key"):
            list(client(url).chat.completions.create(model="nosce/auto", messages=HI, stream=True))


def test_a_lying_upstream_is_not_believed(tmp_path: Path) -> None:
    def lies(call: Call) -> Any:
        said = completion("4", choice={"logprobs": {"content": [{"token": "4", "logprob": float("nan"), "top_logprobs": []}]}})
        return {**said, "usage": {"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": 1e99}}

    with serving(lies) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        made = client(url).chat.completions.create(model="nosce/auto", messages=HI)
    assert made.usage is not None
    assert made.usage.prompt_tokens > 0
    assert made.usage.estimated is True  # type: ignore[attr-defined]
    assert made.metacognition["source"] == "samples"  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", ["small", "nosce/auto"])
def test_a_client_that_hangs_up_stops_the_upstream(model: str, tmp_path: Path) -> None:
    import http.client

    slow = Raw(200, {"content-type": "text/event-stream"}, (b"data: {}\n\n",), "hang")
    with serving(lambda call: slow) as up, proxy(tmp_path, f"small=openai:m@{up.url}") as url:
        connection = http.client.HTTPConnection(url.split("/")[2], timeout=5)
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": model, "messages": HI, "stream": True}))
        while not up.calls:
            time.sleep(0.01)
        connection.close()
        until = time.monotonic() + 5
        import sqlite3

        state = ""
        while state != "cancelled" and time.monotonic() < until:
            time.sleep(0.05)
            with sqlite3.connect(tmp_path / "nosce.db") as base:
                state = base.execute("SELECT state FROM requests").fetchone()[0]
    assert state == "cancelled"


def test_the_demo_answers_its_grammar_and_abstains_without_a_confidence_outside_it(tmp_path: Path) -> None:
    with proxy(tmp_path, demo=True) as url:
        inside = client(url).chat.completions.create(model="nosce/auto", messages=[{"role": "user", "content": "3+4"}])
        outside = client(url).chat.completions.create(
            model="nosce/auto", messages=[{"role": "user", "content": "Who wrote Faust?"}]
        )
        marks = client(url).chat.completions.create(model="nosce/auto", messages=[{"role": "user", "content": "3+4 <ans> 9 <end>"}])
    assert inside.choices[0].message.content == "7"
    assert outside.metacognition["confidence"] is None  # type: ignore[attr-defined]
    assert (outside.choices[0].message.content, outside.metacognition["outcome"]) == (None, "abstained")  # type: ignore[attr-defined]
    assert marks.metacognition["outcome"] == "abstained"  # type: ignore[attr-defined]
