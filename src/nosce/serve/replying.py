"""What goes back: the choices of a chat completion, and what is said of the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nosce.core.answer import Answer
from nosce.core.problem import Problem
from nosce.core.trace import Event, Trace
from nosce.serve.caller import Caller
from nosce.serve.settings import Settings

_OWN = ("think", "direct", "revise", "extend")
_SIGNAL = ("name", "value", "source", "direction")


@dataclass(frozen=True, slots=True)
class Result:
    """An answered request: the choices as the model gave them (none when it abstained), and what is known of the answer."""

    answer: Answer
    trace: Trace
    choices: tuple[dict[str, Any], ...]
    first: Mapping[str, Any]
    usage: dict[str, Any]
    metacognition: dict[str, Any]


def described(
    answer: Answer, strategy: str, trace_id: str, *, calibrated: bool, settings: Settings | None = None,
    signals: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """What is said of an answer: `metacognition` in the response."""
    confidence = None if answer.confidence is None else round(answer.confidence, 6)
    return {
        "confidence": confidence, "source": answer.source, "calibrated": calibrated and confidence is not None,
        "outcome": answer.outcome, "reason": answer.reason, "strategy": strategy, "partial": answer.partial,
        "risk": settings.risk if settings else None,
        "cost": {"prompt_tokens": answer.cost.prompt_tokens, "completion_tokens": answer.cost.completion_tokens,
                 "calls": answer.cost.calls, "seconds": round(answer.cost.seconds, 4), "money": round(answer.cost.money, 8)},
        "signals": list(signals), "trace_id": trace_id,
    }  # fmt: skip


def measured(answer: Answer, trace: Trace, problem: Problem) -> list[dict[str, Any]]:
    """What was measured on the way to an answer, the last value of each signal, and how many of several draws agree with it."""
    noted = [event.data for event in trace.of("measured")]
    stated = [{name: getattr(signal, name) for name in _SIGNAL} for signal in answer.signals]
    found = {one["name"]: {name: one[name] for name in _SIGNAL} for one in (*noted, *stated)}
    drawn = [event.data.get("answer") for event in own_draws(trace)]
    if answer.value is not None and len(drawn) > 1:
        alike = sum(said is not None and problem.same(said, answer.value) for said in drawn)
        share = {"name": "self-consistency-share", "value": alike / len(drawn), "source": "samples", "direction": "confidence"}
        found.setdefault("self-consistency-share", share)
    return list(found.values())


def chosen(
    answer: Answer, trace: Trace, problem: Problem, callers: Sequence[Caller], body: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """The caller's `n` choices: the one whose answer stands first, then the others in draw order."""
    held = {key: choice for caller in callers for key, choice in caller.choices.items()}
    drawn = [event for event in own_draws(trace) if event.data.get("key") in held]
    best = _of(str(answer.value), drawn, problem)
    if best is None and not (drawn and (structured(body) or body.get("tools"))):
        return (_spoken(str(answer.value)),)
    order = [best or drawn[0], *(e for e in drawn if e is not (best or drawn[0]))]
    choices = [_as_asked_for(held[e.data["key"]], body) for e in order[: max(1, choices_wanted(body))]]
    return tuple({**choice, "index": index} for index, choice in enumerate(choices))


def _of(value: str, drawn: Sequence[Event], problem: Problem) -> Event | None:
    exact = (e for e in drawn if e.data.get("answer") == value)
    alike = (e for e in drawn if e.data.get("answer") is not None and problem.same(e.data["answer"], value))
    return next(exact, None) or next(alike, None)


def _as_asked_for(choice: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The choice without log-probabilities that only we asked for."""
    return choice if body.get("logprobs") else {**choice, "logprobs": None} if "logprobs" in choice else choice


def _spoken(value: str) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", "content": value}, "finish_reason": "stop", "logprobs": None}


def refusal(answer: Answer) -> dict[str, Any]:
    """The choice of an abstention: no content, and why as a refusal; of a question back: the question."""
    text = answer.reason or "not sure enough to answer"
    if answer.outcome == "asked":
        return _spoken(text)
    message = {"role": "assistant", "content": None, "refusal": f"I am not sure enough to answer: {text}"}
    return {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}


def completion(result: Result, model: str) -> dict[str, Any]:
    """The whole chat completion that goes back."""
    choices = list(result.choices) or [refusal(result.answer)]
    head = {name: value for name, value in result.first.items() if name not in ("choices", "usage")}
    made: dict[str, Any] = {"id": f"chatcmpl-{result.metacognition['trace_id']}", "object": "chat.completion"}
    made |= {"created": int(time.time()), "model": model}
    return {**made, **head, "choices": choices, "usage": result.usage, "metacognition": result.metacognition}


def own_draws(trace: Trace) -> list[Event]:
    """The draws of the caller's own request."""
    return [event for event in trace.of("sampled") if event.data.get("act") in _OWN]


def choices_wanted(body: Mapping[str, Any]) -> int:
    """The caller's `n`."""
    return body["n"] if isinstance(body.get("n"), int) else 1


def structured(body: Mapping[str, Any]) -> bool:
    """Whether the caller asked for JSON."""
    wanted = body.get("response_format")
    return isinstance(wanted, dict) and str(wanted.get("type", "")).startswith("json")
