"""`/v1/responses`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from nosce.serve.exchange import Exchange, Refused
from nosce.serve.replying import Result, completion
from nosce.serve.routes.asked import read
from nosce.serve.routes.passing import passed
from nosce.serve.service import Service
from nosce.serve.sse import event, streaming
from nosce.serve.thinking import Question, question, think

_ALIKE = ("model", "temperature", "top_p", "parallel_tool_calls", "user", "metadata", "seed", "service_tier")
_ECHOED: dict[str, Any] = {
    "instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True, "temperature": 1.0,
    "tool_choice": "auto", "tools": [], "top_p": 1.0,
}  # fmt: skip
"""Fields of the request that a response repeats, and what stands for one that was not sent."""

_LOGPROBS = "message.output_text.logprobs"
_REFUSED = ("previous_response_id", "conversation", "background", "prompt")


async def create(service: Service, exchange: Exchange) -> None:
    """A response: passed on for an upstream's name; for a strategy it is put as a chat."""
    asked = await read(service, exchange)
    if not asked.strategy:
        return await passed(service, exchange, asked, "/responses")
    asking = question(service, exchange, asked, as_chat(asked.body.fields))
    await think(asking, lambda result: response(result, asking), streaming(_events, end=b"", chunks=False))


def as_chat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The request as a chat completion's. Raises Refused for what only the upstream itself can do."""
    if used := next((name for name in _REFUSED if fields.get(name)), None):
        raise Refused(
            400, f"{used}: a strategy cannot go on from the upstream's own state; name an upstream as the model", param=used
        )
    body = {name: fields[name] for name in _ALIKE if fields.get(name) is not None}
    if fields.get("max_output_tokens") is not None:
        body["max_tokens"] = fields["max_output_tokens"]
    if isinstance(effort := fields.get("reasoning"), dict) and effort.get("effort"):
        body["reasoning_effort"] = effort["effort"]
    if isinstance(text := fields.get("text"), dict) and isinstance(wanted := text.get("format"), dict):
        body |= {"response_format": _format(wanted)} if wanted.get("type") != "text" else {}
    if isinstance(text, dict) and text.get("verbosity") is not None:
        body["verbosity"] = text["verbosity"]
    if (tools := fields.get("tools")) is not None and not isinstance(tools, list):
        raise Refused(400, "tools: expected a list", param="tools")
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        body |= {"tool_choice": _choice(fields["tool_choice"])} if fields.get("tool_choice") is not None else {}
    if _with_logprobs(fields):
        body |= {"logprobs": True, **({"top_logprobs": fields["top_logprobs"]} if fields.get("top_logprobs") is not None else {})}
    system = [{"role": "system", "content": fields["instructions"]}] if fields.get("instructions") else []
    return {**body, "messages": [*system, *_messages(fields.get("input"))]}


def _format(wanted: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: value for name, value in wanted.items() if name != "type"}
    return {"type": wanted.get("type"), "json_schema": inner} if wanted.get("type") == "json_schema" else dict(wanted)


def _tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        kind = tool.get("type") if isinstance(tool, dict) else tool
        raise Refused(400, f"tool {kind!r} runs at the upstream; a strategy takes function tools", param="tools")
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _choice(given: Any) -> Any:
    """Which tool must be called, as a chat says it."""
    if isinstance(given, str):
        return given
    if not isinstance(given, dict) or given.get("type") != "function":
        raise Refused(400, "tool_choice: a strategy takes auto, none, required or one function", param="tool_choice")
    return {"type": "function", "function": {"name": given.get("name")}}


def _with_logprobs(fields: Mapping[str, Any]) -> bool:
    """Whether the log-probabilities of the answer are asked for."""
    included = fields.get("include")
    return bool(fields.get("top_logprobs")) or (isinstance(included, list) and _LOGPROBS in included)


def _messages(given: Any) -> Iterator[dict[str, Any]]:
    if isinstance(given, str) and given:
        yield {"role": "user", "content": given}
        return
    if not isinstance(given, list) or not given:
        raise Refused(400, "input: expected text or a list of items", param="input")
    for item in given:
        yield _message(item if isinstance(item, dict) else {})


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    kind = item.get("type", "message")
    if kind == "function_call":
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": item.get("call_id"), "type": "function", "function": function}],
        }
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": str(item.get("output", ""))}
    if kind != "message" or "role" not in item:
        raise Refused(400, f"input item {kind!r}: a strategy takes messages and function calls", param="input")
    content = item.get("content")
    return {"role": item["role"], "content": [_part(p) for p in content] if isinstance(content, list) else content}


def _part(part: Any) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "text": part.get("text", "")}
    if kind == "input_image" and part.get("image_url"):
        return {"type": "image_url", "image_url": {"url": part["image_url"]}}
    raise Refused(400, f"content part {kind!r}: a strategy takes text and images", param="input")


def response(result: Result, asking: Question) -> dict[str, Any]:
    """The whole response."""
    fields = asking.asked.body.fields
    whole = completion(result, str(fields["model"]))
    choice = whole["choices"][0]
    message = choice["message"]
    trace, usage = result.metacognition["trace_id"], whole["usage"]
    output = [
        {"type": "function_call", "id": f"fc_{trace}_{i}", "call_id": call.get("id"), "status": "completed",
         "name": function.get("name"), "arguments": function.get("arguments")}
        for i, (call, function) in enumerate(_calls(message))
    ]  # fmt: skip
    if not output or message.get("content"):
        output.insert(
            0, {"type": "message", "id": f"msg_{trace}", "status": "completed", "role": "assistant", "content": [_said(choice)]}
        )
    counted = {
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "total_tokens": usage["total_tokens"],
        "num_calls": usage["num_calls"],
    }
    details = {"input_tokens_details": usage.get("prompt_tokens_details") or {"cached_tokens": 0},
               "output_tokens_details": usage.get("completion_tokens_details") or {"reasoning_tokens": 0}}  # fmt: skip
    return {
        "id": f"resp_{trace}", "object": "response", "created_at": int(time.time()), "status": "completed", "error": None,
        "incomplete_details": None, "model": whole["model"], "output": output, "usage": {**counted, **details},
        **{name: usual if fields.get(name) is None else fields[name] for name, usual in _ECHOED.items()},
        "metacognition": result.metacognition,
    }  # fmt: skip


def _calls(message: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each tool call of a message with its function; what is none is left out."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict) and isinstance(call.get("function"), dict):
            yield call, call["function"]


def _said(choice: Mapping[str, Any]) -> dict[str, Any]:
    message, held = choice["message"], choice.get("logprobs")
    if message.get("refusal"):
        return {"type": "refusal", "refusal": message["refusal"]}
    logprobs = held.get("content") if isinstance(held, dict) else None
    more = {"logprobs": logprobs} if isinstance(logprobs, list) else {}
    return {"type": "output_text", "text": message.get("content") or "", "annotations": [], **more}


def _events(asking: Question, whole: dict[str, Any]) -> Iterator[bytes]:
    """A response as the events of its stream."""
    number = iter(range(1 << 30))

    def told(kind: str, **data: Any) -> bytes:
        return event({"type": kind, "sequence_number": next(number), **data}, kind)

    yield told("response.created", response={**whole, "status": "in_progress", "output": [], "usage": None})
    for index, item in enumerate(whole["output"]):
        where = {"output_index": index, "item_id": item["id"]}
        yield told("response.output_item.added", output_index=index, item={**item, "status": "in_progress", **_empty(item)})
        if item["type"] == "function_call":
            yield told("response.function_call_arguments.delta", **where, delta=str(item["arguments"] or ""))
            yield told("response.function_call_arguments.done", **where, name=item["name"], arguments=item["arguments"] or "")
        else:
            yield from _parts(told, where, item["content"][0])
        yield told("response.output_item.done", output_index=index, item=item)
    yield told("response.completed", response=whole)


def _empty(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"arguments": ""} if item["type"] == "function_call" else {"content": []}


def _parts(told: Any, where: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[bytes]:
    at = {**where, "content_index": 0}
    name, field = ("output_text", "text") if part["type"] == "output_text" else ("refusal", "refusal")
    yield told("response.content_part.added", **at, part={**part, field: ""})
    more: dict[str, Any] = {"logprobs": part.get("logprobs", [])} if name == "output_text" else {}
    yield told(f"response.{name}.delta", **at, delta=part[field], **more)
    yield told(f"response.{name}.done", **at, **{field: part[field]}, **more)
    yield told("response.content_part.done", **at, part=part)


__all__ = ["as_chat", "create", "response"]
