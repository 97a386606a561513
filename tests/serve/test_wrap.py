"""A wrapped client: the same calls, and each response says how sure it is. Driven by the official package."""

import asyncio
import json
import math
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.servers.stub import Call, completion, logprobs, serving

import nosce
from nosce.control.ladder import Ladder, Table
from nosce.core.errors import InputError
from nosce.evidence.policy import Policy


def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=url, api_key="k", max_retries=0)


def sure(value: float) -> dict[str, Any]:
    """A choice whose one token has this probability."""
    return logprobs(("4", math.log(value)))


def policy(enough: float = 0.8, rungs: tuple[str, ...] = ("think", "vote"), model: str = "m") -> Policy:
    """A ladder whose calibration is the identity; 200 labelled rows, right where P(right) is at least `enough`."""
    import numpy as np

    from nosce.monitor.calibrators import Identity

    p = np.linspace(0, 1, 200)[:, None].repeat(len(rungs), 1)
    table = Table(rungs, p, (p >= enough).astype(float), np.ones_like(p))
    return Policy(Ladder(rungs, {r: Identity() for r in rungs}, dict.fromkeys(rungs, 0.5), enough, 200), table, table, model)


def test_a_sure_first_answer_costs_one_call_and_says_how_sure() -> None:
    with serving(lambda call: completion("4", choice=sure(0.9))) as up:
        wrapped = nosce.wrap(client(up.url), policy=policy())
        made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    said = made.metacognition  # type: ignore[attr-defined]
    assert (made.choices[0].message.content, len(up.calls)) == ("4", 1)
    assert (said.outcome, said.calibrated, said.source) == ("answered", True, "logprobs")
    assert said.confidence == pytest.approx(0.9)
    assert said.cost == {**said.cost, "prompt_tokens": 7, "completion_tokens": 1, "calls": 1}
    assert made.usage.model_extra["num_calls"] == 1  # type: ignore[union-attr, index]
    assert made.choices[0].logprobs is None  # nobody asked for them
    assert up.calls[0].body == {"messages": [{"role": "user", "content": "2+2"}], "model": "m", "logprobs": True}


def test_a_doubtful_one_is_voted_on_and_usage_is_the_sum() -> None:
    def answer(call: Call) -> Any:
        return completion("5" if call.number == 0 else "4", choice=sure(0.5))

    with serving(answer) as up:
        wrapped = nosce.wrap(client(up.url), policy=policy(0.7))
        made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    assert made.choices[0].message.content == "4"
    assert made.metacognition.confidence == pytest.approx(0.75)  # type: ignore[attr-defined]  # 3 of 4
    signals = {one["name"]: one["value"] for one in made.metacognition.signals}  # type: ignore[attr-defined]
    assert signals["self-consistency-share"] == 0.75
    assert signals["think"] == pytest.approx(0.5)
    assert made.usage is not None
    assert made.usage.prompt_tokens == 7 * len(up.calls)


def test_a_risk_that_cannot_be_kept_is_an_abstention_with_its_reason() -> None:
    with serving(lambda call: completion("4", choice=sure(0.3))) as up:
        wrapped = nosce.wrap(client(up.url), policy=policy(0.8), risk=0.1)
        made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
        asked = nosce.wrap(client(up.url), policy=policy(0.99), risk=0.001)
        none = asked.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    # four votes for one answer would be sure, so the ladder has but one rung here
    assert made.metacognition.outcome == "answered"  # type: ignore[attr-defined]
    assert none.metacognition.outcome == "abstained"  # type: ignore[attr-defined]
    assert (none.choices[0].message.content, none.choices[0].finish_reason) == (None, "stop")
    assert "nothing promised" in str(none.choices[0].message.refusal)


def test_below_the_promised_point_it_abstains() -> None:
    with serving(lambda call: completion("4", choice=sure(0.3))) as up:
        wrapped = nosce.wrap(client(up.url), policy=policy(0.8, ("think",)), risk=0.1)
        made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    assert made.metacognition.outcome == "abstained"  # type: ignore[attr-defined]
    assert made.choices[0].message.content is None
    assert made.metacognition.confidence == pytest.approx(0.3)  # type: ignore[attr-defined]


def test_without_a_policy_it_says_so_and_promises_nothing() -> None:
    with serving(lambda call: completion("4", choice=sure(0.9))) as up:
        wrapped = nosce.wrap(client(up.url), risk=0.05)
        made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    said = made.metacognition  # type: ignore[attr-defined]
    assert (said.calibrated, said.outcome, len(up.calls)) == (False, "answered", 1)
    assert "nothing is promised" in said.reason
    assert "0.05 needs a policy" in said.reason


def test_a_server_without_logprobs_is_voted_on() -> None:
    with serving(lambda call: completion("4")) as up:
        made = nosce.wrap(client(up.url)).chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
    assert made.metacognition.source == "samples"  # type: ignore[attr-defined]
    assert made.metacognition.confidence == 1.0  # type: ignore[attr-defined]
    assert len(up.calls) >= 4


def test_a_server_that_refuses_what_was_added_is_asked_without_it() -> None:
    def answer(call: Call) -> Any:
        return (400, {"error": {"message": "logprobs are not supported"}}) if "logprobs" in call.body else completion("4")

    with serving(answer) as up:
        wrapped = nosce.wrap(client(up.url), strategy="think")
        for _ in range(2):
            made = wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "2+2"}])
            assert made.choices[0].message.content == "4"
    assert len(up.calls) == 3  # it remembers


def test_nothing_of_the_clients_is_changed_and_the_rest_passes_through() -> None:
    with serving(lambda call: completion("4")) as up:
        plain = client(up.url)
        before = dict(vars(plain))
        wrapped = nosce.wrap(plain)
        wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert isinstance(wrapped, openai.OpenAI)
        assert wrapped.base_url == plain.base_url
        assert {k: v for k, v in vars(plain).items() if k in before and k != "_platform"} == {
            k: v for k, v in before.items() if k != "_platform"
        }
        assert not hasattr(plain.chat.completions.create(model="m", messages=[]), "metacognition")
        assert nosce.wrap(plain.with_options(timeout=5)).timeout == 5


def test_the_servers_refusal_is_the_clients_own_error() -> None:
    with (
        serving(lambda call: (404, {"error": {"message": "no such model"}})) as up,
        pytest.raises(openai.NotFoundError, match="no such"),
    ):
        nosce.wrap(client(up.url)).chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])


def test_an_asynchronous_client() -> None:
    async def run(url: str) -> Any:
        wrapped = nosce.wrap(openai.AsyncOpenAI(base_url=url, api_key="k"), policy=policy())
        many = [wrapped.chat.completions.create(model="m", messages=[{"role": "user", "content": str(i)}]) for i in range(8)]
        return await asyncio.gather(*many)

    with serving(lambda call: completion(call.body["messages"][0]["content"], choice=sure(0.9))) as up:
        made = asyncio.run(run(up.url))
    assert [m.choices[0].message.content for m in made] == [str(i) for i in range(8)]
    assert len({m.metacognition.trace_id for m in made}) == 8


TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


def test_tool_calls_are_voted_on_and_come_back_whole() -> None:
    def answer(call: Call) -> Any:
        city = "Rome" if call.number == 0 else "Oslo"
        calls = [
            {"id": f"c{call.number}", "type": "function", "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
        ]
        return completion(
            None, choice={"message": {"role": "assistant", "content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}
        )  # type: ignore[arg-type]

    with serving(answer) as up:
        made = nosce.wrap(client(up.url)).chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "weather?"}],
            tools=[TOOL],
            tool_choice="auto",  # type: ignore[list-item]
        )
    called = made.choices[0].message.tool_calls
    assert called is not None
    assert (called[0].id, called[0].function.arguments) == ("c1", '{"city": "Oslo"}')  # type: ignore[union-attr]
    assert made.choices[0].finish_reason == "tool_calls"
    assert all(call.body["tools"] == [TOOL] for call in up.calls)


class City(BaseModel):
    name: str
    people: int


def test_structured_output_is_parsed_and_compared_by_field() -> None:
    texts = [
        '{"name": "Oslo", "people": 7}',
        '{"people": 7.0, "name": "oslo"}',
        '{"name": "Rome", "people": 3}',
        '{"name":"Oslo","people":7}',
    ]
    with serving(lambda call: completion(texts[call.number % 4])) as up:
        made = nosce.wrap(client(up.url)).chat.completions.parse(
            model="m", messages=[{"role": "user", "content": "city?"}], response_format=City
        )
    assert made.choices[0].message.parsed == City(name="Oslo", people=7)
    assert made.metacognition.confidence == pytest.approx(0.75, abs=0.06)  # type: ignore[attr-defined]
    assert up.calls[0].body["response_format"]["json_schema"]["schema"]["properties"].keys() == {"name", "people"}


def test_a_stream_is_the_answer_in_chunks_and_its_last_chunk_says_how_sure() -> None:
    usage = {"include_usage": True}
    with serving(lambda call: completion("4", choice=sure(0.9))) as up:
        create = nosce.wrap(client(up.url), policy=policy()).chat.completions.create
        messages: Any = [{"role": "user", "content": "2+2"}]
        with create(model="m", messages=messages, stream=True, stream_options=usage) as stream:  # type: ignore[call-overload]
            pieces = list(stream)
    assert "stream" not in up.calls[0].body
    assert [p.object for p in pieces] == ["chat.completion.chunk"] * 4
    assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == "4"
    assert (pieces[-2].choices[0].finish_reason, pieces[-1].usage.num_calls) == ("stop", 1)
    assert pieces[-2].metacognition.confidence == stream.metacognition.confidence == pytest.approx(0.9)
    assert not hasattr(pieces[0], "metacognition")


def test_a_withheld_answer_streams_its_refusal_and_a_closed_stream_ends() -> None:
    async def run(url: str) -> tuple[list[Any], list[Any]]:
        wrapped = nosce.wrap(openai.AsyncOpenAI(base_url=url, api_key="k", max_retries=0), policy=policy(0.99), risk=0.001)
        messages: Any = [{"role": "user", "content": "2+2"}]
        stream = await wrapped.chat.completions.create(model="m", messages=messages, stream=True)
        whole = [piece async for piece in stream]
        async with await wrapped.chat.completions.create(model="m", messages=messages, stream=True) as stream:
            await stream.close()
            return whole, [piece async for piece in stream]

    with serving(lambda call: completion("4", choice=sure(0.3))) as up:
        pieces, none = asyncio.run(run(up.url))
    said = "".join(piece.choices[0].delta.refusal or "" for piece in pieces if hasattr(piece.choices[0].delta, "refusal"))
    assert "not sure enough" in said
    assert all(piece.choices[0].delta.content is None for piece in pieces)
    assert pieces[-1].metacognition.outcome == "abstained"
    assert none == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"strategy": "atuo"}, "auto"), ({"risk": 2}, "risk"), ({"budget": "tokens=none"}, "budget"),
     ({"strategy": "dsc"}, "cannot be served")],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_at_once(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        nosce.wrap(client("http://127.0.0.1:9/v1"), **settings)


def test_an_image_stays_in_every_call() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "what is it?"}, image]
    with serving(lambda call: completion("True" if "correct?" in json.dumps(call.body) else "a cat")) as up:
        nosce.wrap(client(up.url), policy=policy(0.9, ("check",))).chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": content}],  # type: ignore[list-item]
        )
    assert len(up.calls) == 2
    assert all(call.body["messages"][0]["content"] == content for call in up.calls)
    assert [m["role"] for m in up.calls[1].body["messages"]] == ["user", "assistant", "user"]
