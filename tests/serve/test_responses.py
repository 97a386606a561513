"""`/v1/responses` by the official package: what a strategy passes on, and what comes back."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from tests.serve.live import proxy
from tests.serve.test_passing import post
from tests.serve.test_protocol import model
from tests.servers.stub import Call, Stub, serving


def answer(call: Call) -> Any:
    """A refusal that repeats the question, where the question is to be refused; else as the model of the protocol's tests."""
    asked = json.dumps(call.body.get("messages"))
    return (400, {"error": {"message": f"no: {asked}", "type": "invalid"}}) if "forbidden" in asked else model(call)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stub, str]]:
    with serving(answer) as up, proxy(tmp_path_factory.mktemp("proxy"), f"small=openai:m@{up.url}") as url:
        yield up, url


def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0)


TOOL: Any = {"type": "function", "name": "weather", "parameters": {}, "strict": False}


def test_a_tool_that_must_be_called_is_named_to_the_upstream_and_said_again(served: tuple[Stub, str]) -> None:
    up, url = served
    for choice in ("required", {"type": "function", "name": "weather"}):
        first = len(up.calls)
        made = client(url).responses.create(model="nosce/auto", input="Oslo?", tools=[TOOL], tool_choice=choice)  # type: ignore[call-overload]
        assert made.output[0].type == "function_call"
        wanted = choice if isinstance(choice, str) else {"type": "function", "function": {"name": "weather"}}
        assert up.calls[first].body["tool_choice"] == wanted
        assert json.loads(made.to_json())["tool_choice"] == choice
    body = {"model": "nosce/auto", "input": "Oslo?", "tools": [TOOL], "tool_choice": {"type": "allowed_tools", "mode": "auto"}}
    assert post(f"{url}/responses", json.dumps(body).encode())[0] == 400


def test_log_probabilities_come_back_where_they_were_asked_for_alone(served: tuple[Stub, str]) -> None:
    up, url = served
    first = len(up.calls)
    asked: Any = {"model": "nosce/auto", "input": "2+2", "include": ["message.output_text.logprobs"], "top_logprobs": 2}
    made = client(url).responses.create(**asked)
    assert made.output[0].content[0].logprobs[0].logprob == -0.1
    assert (up.calls[first].body["logprobs"], up.calls[first].body["top_logprobs"]) == (True, 2)
    with client(url).responses.stream(**asked) as stream:
        assert stream.get_final_response().output[0].content[0].logprobs[0].logprob == -0.1  # type: ignore[union-attr, index]
    plain = client(url).responses.create(model="nosce/auto", input="2+2")
    assert not plain.output[0].content[0].logprobs  # type: ignore[union-attr]


def test_a_response_repeats_what_it_was_asked_with(served: tuple[Stub, str]) -> None:
    _, url = served
    more: Any = {"instructions": "Be brief.", "temperature": 0.5, "max_output_tokens": 9, "metadata": {"a": "b"}}
    made = client(url).responses.create(model="nosce/auto", input="2+2", **more)
    assert {name: getattr(made, name) for name in more} == more
    assert client(url).responses.create(model="nosce/auto", input="2+2").temperature == 1.0


def test_what_happens_on_the_way_never_stands_among_a_responses_events(served: tuple[Stub, str]) -> None:
    """The package takes no event before `response.created`; comments it skips."""
    _, url = served
    with client(url).responses.stream(model="nosce/auto", input="2+2", extra_body={"metacognition": {"events": True}}) as stream:
        kinds = [event.type for event in stream]
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    body = {"model": "nosce/auto", "input": "2+2", "stream": True, "metacognition": {"events": True}}
    assert post(f"{url}/responses", json.dumps(body).encode())[1].count(b": nosce {") >= 1


def test_a_stream_that_fails_says_why(served: tuple[Stub, str]) -> None:
    _, url = served
    with pytest.raises(openai.APIError, match="no: "):
        list(client(url).responses.create(model="nosce/auto", input="forbidden", stream=True))
