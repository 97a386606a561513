"""Answering one chat request with a strategy: the same for the proxy and for a wrapped client."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nosce.core.answer import Answer
from nosce.core.cost import Budget
from nosce.core.equivalence import Equivalence
from nosce.core.errors import BudgetExhausted, InputError, ModelError
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.core.trace import Trace
from nosce.evidence.calibration_file import Kept
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.serve.caller import Caller
from nosce.serve.conversation import turns
from nosce.serve.deciding import Deciding
from nosce.serve.remembering import Recalled
from nosce.serve.replying import Result, choices_wanted, chosen, described, measured, own_draws, structured
from nosce.serve.servable import served
from nosce.serve.settings import Settings
from nosce.serve.usage import summed
from nosce.serve.watched import Watched


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
    engine = Watched(roster, budget or Budget(), sampler=Sampler(), seed=settings.seed)
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
    wanted, left = choices_wanted(body), engine.budget.left(answer.cost)
    if answer.outcome != "answered" or len(own_draws(trace)) >= wanted or wanted == 1 or left is None:
        return
    mind = engine.mind(problem, budget=left)
    with contextlib.suppress(BudgetExhausted):
        await mind.think(problem, n=wanted)
    known = {event.data.get("key") for event in own_draws(trace)}
    for event in own_draws(mind.work.trace):
        if event.data.get("key") not in known:
            trace.add("sampled", dict(event.data))


def asked(body: Mapping[str, Any], settings: Settings, trace_id: str) -> Problem:
    """The request as a problem: its last user turn is the question where it is text, and what came before stands before it."""
    said = turns(body.get("messages") or [])
    if not said:
        raise InputError("messages: expected at least one")
    last = (body.get("messages") or [])[-1]
    plain = isinstance(last, dict) and last.get("role") == "user" and isinstance(last.get("content"), str)
    kind = settings.equivalence or ("json" if structured(body) else "number")
    equivalence = Equivalence(kind)
    return Problem(trace_id, said[-1].content if plain else "", said[:-1] if plain else said, equivalence=equivalence)


def _withheld(reason: str, trace_id: str, system: System) -> Result:
    trace = Trace(trace_id, trace_id, system.slug)
    trace.add("decided", {"action": "abstain", "reason": reason})
    said = Answer(trace_id, None, outcome="abstained", reason=reason, trace_id=trace_id)
    return Result(said, trace, (), {}, summed([]), described(said, system.name, trace_id, calibrated=True))


def _result(
    answer: Answer, trace: Trace, problem: Problem, callers: Sequence[Caller], body: Mapping[str, Any], settings: Settings,
    deciding: Deciding, system: System,
) -> Result:  # fmt: skip
    usage = summed([usage for caller in callers for usage in caller.usages])
    if any(caller.estimated for caller in callers):
        usage["estimated"] = True
    cost = replace(answer.cost, prompt_tokens=usage["prompt_tokens"], completion_tokens=usage["completion_tokens"],
                   calls=usage["num_calls"]) if callers else answer.cost  # fmt: skip
    answer = replace(answer, cost=cost, trace_id=trace.id)
    choices = chosen(answer, trace, problem, callers, body) if answer.outcome == "answered" else ()
    said = described(answer, system.name, trace.id, calibrated=deciding.calibrated, settings=settings,
                     signals=measured(answer, trace, problem))  # fmt: skip
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
