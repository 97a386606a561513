"""Answering one chat request with a strategy: the same for the proxy and for a wrapped client."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nosce.core.answer import Answer
from nosce.core.cost import Budget
from nosce.core.equivalence import Equivalence
from nosce.core.errors import BudgetExhausted, InputError, ModelError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.core.trace import Event, EventKind, Trace
from nosce.evidence.calibration_file import Kept
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.serve.caller import Caller, called
from nosce.serve.deciding import Deciding
from nosce.serve.remembering import Recalled
from nosce.serve.settings import Settings

_SERVED = frozenset({"blackbox", "logprobs", "roster"})
_OWN = ("think", "direct", "revise", "extend")


@dataclass(frozen=True, slots=True)
class Result:
    """An answered request: the choices as the model gave them (none when it abstained), and what is known of the answer."""

    answer: Answer
    trace: Trace
    choices: tuple[dict[str, Any], ...]
    first: Mapping[str, Any]
    usage: dict[str, Any]
    metacognition: dict[str, Any]


def served(name: str) -> System:
    """The system that a request names. Raises InputError when it cannot be served: it needs preparing, or a local model."""
    from nosce.evidence.plan import playable

    system = playable(name)
    if not servable(system):
        why = "it prepares on questions, words them itself or needs a local model"
        raise InputError(f"{system.name} cannot be served: {why}; try nosce/auto")
    return system


def servable(system: System) -> bool:
    """Whether a system can answer single requests over a chat server."""
    ready = system.prepare is None or bool(system.options.get("unprepared"))
    own = bool(system.options.get("cues"))  # it words the question itself, and a caller's stands as it was asked
    return system.kind in ("strategy", "memory") and ready and not own and system.needs <= _SERVED and system.id != "null"


def names() -> list[str]:
    """The strategies that can be asked for, `auto` first."""
    found = [system.name for system in registry if servable(system)]
    return sorted(dict.fromkeys(found), key=lambda name: (name != "auto", name))


async def answered(
    roster: Mapping[str, Model], body: Mapping[str, Any], settings: Settings, *, trace_id: str, budget: Budget | None = None,
    policy: Kept | None = None, watch: Any = None, recalled: Recalled | None = None,
) -> Result:  # fmt: skip
    """Carry out the strategy on a request. Raises the upstream's own refusal where there is no answer because of it."""
    system, problem = served(settings.strategy), asked(body, settings, trace_id)
    if roster["main"].dialect.startswith("socrates"):
        problem = replace(problem, context="\n".join(turn.content for turn in problem.messages) or None)  # its passage
    deciding = Deciding.of(policy, system, settings, body)
    options = {**settings.options, **(deciding.options or {})}
    artifact = deciding.artifact
    if system.name == "auto":
        options |= {"ask": True} if settings.ask else {}
        artifact = artifact if recalled is None else recalled.beside(artifact)
    engine = _Watched(roster, budget or Budget(), sampler=Sampler(), seed=settings.seed)
    engine.watch = watch
    engine.check(system, options)
    if deciding.withheld is not None:
        return _withheld(deciding.withheld, trace_id, system)
    callers = list({id(m): m for m in roster.values() if isinstance(m, Caller)}.values())
    for caller in callers:
        caller.warmth = deciding.warmth
    solved = await engine.solve(problem, system, options, artifact)
    solved.trace.id = trace_id
    if solved.answer.outcome == "failed" and (error := next((c.error for c in callers if c.error), None)):
        raise error
    if solved.answer.outcome == "failed" and (settings.options or not solved.answer.cost.calls):
        raise InputError(f"{system.name} cannot answer this as it was asked: {solved.answer.reason}")
    if solved.answer.outcome == "failed":
        raise ModelError(solved.answer.reason)
    answer = deciding.applied(solved.answer)
    await _filled_up(engine, answer, solved.trace, problem, body)
    result = _result(answer, solved.trace, problem, callers, body, settings, deciding, system)
    if recalled is not None and any(event.data.get("rung") == "remember" for event in solved.trace.of("decided")):
        result.metacognition["lessons"] = [lesson.id for lesson in recalled.lessons]
    return result


async def _filled_up(engine: Engine, answer: Answer, trace: Trace, problem: Problem, body: Mapping[str, Any]) -> None:
    """Draw what is missing to the caller's `n` choices, within what is left of the budget; draws that were made count."""
    wanted, left = _wanted(body), engine.budget.left(answer.cost)
    if answer.outcome != "answered" or len(_own(trace)) >= wanted or wanted == 1 or left is None:
        return
    mind = engine.mind(problem, budget=left)
    with contextlib.suppress(BudgetExhausted):
        await mind.think(problem, n=wanted)
    known = {event.data.get("key") for event in _own(trace)}
    for event in _own(mind.work.trace):
        if event.data.get("key") not in known:
            trace.add("sampled", dict(event.data))


def _own(trace: Trace) -> list[Event]:
    """The draws of the caller's own request."""
    return [event for event in trace.of("sampled") if event.data.get("act") in _OWN]


def _wanted(body: Mapping[str, Any]) -> int:
    return body["n"] if isinstance(body.get("n"), int) else 1


class _Watched(Engine):
    """An engine that tells what happens, without any text, as it happens."""

    watch: Callable[[dict[str, Any]], None] | None = None

    def mind(self, problem: Problem, strategy: str = "", budget: Budget | None = None) -> Mind:
        """A fresh mind whose trace is watched."""
        made = super().mind(problem, strategy, budget)
        if self.watch is not None:
            made.work.trace = _Told(made.work.trace, self.watch)
        return made


class _Told(Trace):
    """A trace that tells of each event."""

    def __init__(self, trace: Trace, watch: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(trace.id, trace.problem_id, trace.strategy, trace.seed, trace.events)
        self._watch = watch

    def add(self, kind: EventKind, data: dict[str, Any], parent: str | None = None) -> str:
        """Append an event, and tell its kind, act, measure or action."""
        told: dict[str, Any] = {
            name: data[name] for name in ("act", "role", "name", "value", "action", "tool", "rung") if name in data
        }
        if kind != "answered":
            self._watch({"status": kind, **told})
        return super().add(kind, data, parent)


def asked(body: Mapping[str, Any], settings: Settings, trace_id: str) -> Problem:
    """The request as a problem: its last user turn is the question where it is text, and what came before stands before it."""
    from nosce.serve.caller import turns

    said = turns(body.get("messages") or [])
    if not said:
        raise InputError("messages: expected at least one")
    last = (body.get("messages") or [])[-1]
    plain = isinstance(last, dict) and last.get("role") == "user" and isinstance(last.get("content"), str)
    kind = settings.equivalence or ("json" if _structured(body) else "number")
    equivalence = Equivalence(kind)
    return Problem(trace_id, said[-1].content if plain else "", said[:-1] if plain else said, equivalence=equivalence)


def _structured(body: Mapping[str, Any]) -> bool:
    wanted = body.get("response_format")
    return isinstance(wanted, dict) and str(wanted.get("type", "")).startswith("json")


def _withheld(reason: str, trace_id: str, system: System) -> Result:
    trace = Trace(trace_id, trace_id, system.slug)
    trace.add("decided", {"action": "abstain", "reason": reason})
    said = Answer(trace_id, None, outcome="abstained", reason=reason, trace_id=trace_id)
    return Result(said, trace, (), {}, _summed([]), described(said, system.name, trace_id, calibrated=True, usage=_summed([])))


def _result(
    answer: Answer, trace: Trace, problem: Problem, callers: Sequence[Caller], body: Mapping[str, Any], settings: Settings,
    deciding: Deciding, system: System,
) -> Result:  # fmt: skip
    usage = _summed([usage for caller in callers for usage in caller.usages])
    if any(caller.estimated for caller in callers):
        usage["estimated"] = True
    cost = replace(answer.cost, prompt_tokens=usage["prompt_tokens"], completion_tokens=usage["completion_tokens"],
                   calls=usage["num_calls"]) if callers else answer.cost  # fmt: skip
    answer = replace(answer, cost=cost, trace_id=trace.id)
    choices = _chosen(answer, trace, problem, callers, body) if answer.outcome == "answered" else ()
    said = described(answer, system.name, trace.id, calibrated=deciding.calibrated, usage=usage, settings=settings)
    if deciding.unfit:
        said["reason"] = f"{said['reason'] or 'uncalibrated'}; {deciding.unfit}"
    elif not deciding.calibrated and settings.risk is not None:
        wanted = f"a risk of {settings.risk:g} needs a policy from `nosce serve calibrate`"
        said["reason"] = f"{said['reason'] or 'uncalibrated'}; {wanted}"
    if not callers:
        usage = {"prompt_tokens": cost.prompt_tokens, "completion_tokens": cost.completion_tokens, "total_tokens": cost.tokens,
                 "num_calls": cost.calls}  # fmt: skip
    first = callers[0].first if callers else {}
    return Result(answer, trace, choices, first, usage, said)


def described(
    answer: Answer, strategy: str, trace_id: str, *, calibrated: bool, usage: Mapping[str, Any], settings: Settings | None = None
) -> dict[str, Any]:
    """What is said of an answer: `metacognition` in the response."""
    confidence = None if answer.confidence is None else round(answer.confidence, 6)
    return {
        "confidence": confidence, "source": answer.source, "calibrated": calibrated and confidence is not None,
        "outcome": answer.outcome, "reason": answer.reason, "strategy": strategy, "partial": answer.partial,
        "risk": settings.risk if settings else None,
        "cost": {"prompt_tokens": answer.cost.prompt_tokens, "completion_tokens": answer.cost.completion_tokens,
                 "calls": answer.cost.calls, "seconds": round(answer.cost.seconds, 4), "money": round(answer.cost.money, 8)},
        "signals": [{"name": s.name, "value": s.value, "source": s.source, "direction": s.direction} for s in answer.signals],
        "trace_id": trace_id,
    }  # fmt: skip


def _chosen(
    answer: Answer, trace: Trace, problem: Problem, callers: Sequence[Caller], body: Mapping[str, Any]
) -> tuple[dict[str, Any], ...]:
    """The caller's `n` choices: the one whose answer stands first, then the others in draw order."""
    held = {key: choice for caller in callers for key, choice in caller.choices.items()}
    drawn = [event for event in _own(trace) if event.data.get("key") in held]
    best = _of(str(answer.value), drawn, problem)
    if best is None and not (drawn and (_structured(body) or body.get("tools"))):
        return (_spoken(str(answer.value)),)
    order = [best or drawn[0], *(e for e in drawn if e is not (best or drawn[0]))]
    choices = [_as_asked_for(held[e.data["key"]], body) for e in order[: max(1, _wanted(body))]]
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


def _summed(usages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sum of all calls' usage, field by field, with their number."""
    total: dict[str, Any] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    for usage in usages:
        total = _added(total, usage)
    return {**total, "num_calls": len(usages)}


def _added(total: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(total)
    for name, value in more.items():
        if isinstance(value, dict):
            made[name] = _added(made.get(name) if isinstance(made.get(name), dict) else {}, value)  # type: ignore[arg-type]
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
            made[name] = made.get(name, 0) + value if isinstance(made.get(name, 0), int | float) else value
    return made


def completion(result: Result, model: str) -> dict[str, Any]:
    """The whole chat completion that goes back."""
    choices = list(result.choices) or [refusal(result.answer)]
    head = {name: value for name, value in result.first.items() if name not in ("choices", "usage")}
    made: dict[str, Any] = {"id": f"chatcmpl-{result.metacognition['trace_id']}", "object": "chat.completion"}
    made |= {"created": int(time.time()), "model": model}
    return {**made, **head, "choices": choices, "usage": result.usage, "metacognition": result.metacognition}


__all__ = ["Result", "answered", "called", "completion", "names", "refusal", "served"]
