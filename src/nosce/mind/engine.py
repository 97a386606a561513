"""Many problems at once: one strategy, one roster, budgets, a journal."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.cost import Budget, Cost
from nosce.core.errors import BudgetExhausted, CapabilityError, InputError, JournalError, ModelError, OutOfScope, unknown
from nosce.core.problem import Problem
from nosce.core.registry import NEEDS, System
from nosce.core.streams import fingerprint
from nosce.core.trace import Trace
from nosce.core.vote import tally
from nosce.mind.dialects import dialect_of
from nosce.mind.meter import Meter
from nosce.mind.mind import Mind, Work
from nosce.mind.parameters import check_values
from nosce.mind.sampler import Sampler
from nosce.models.base import Model


@dataclass(frozen=True, slots=True)
class Solved:
    """One finished problem: its answer and the trace that led to it."""

    problem: Problem
    answer: Answer
    trace: Trace


@dataclass(slots=True)
class Engine:
    """Runs systems on problems.

    roster: models by role (`main` at least). budget: per problem; `run` meters the whole run. concurrency: problems in
    flight at once (default 256 on local models, whose rows share one batch; 16 on remote ones). seed: every draw has its
    own random stream from (seed, problem, prompt, draw), so neither batch nor order changes what is drawn.
    """

    roster: Mapping[str, Model]
    budget: Budget = field(default_factory=Budget)
    run: Meter = field(default_factory=Meter)
    sampler: Sampler = field(default_factory=Sampler)
    seed: int = 0
    temperature: float | None = None
    concurrency: int | None = None

    def check(self, system: System, options: Mapping[str, Any] | None = None) -> None:
        """Refuse what cannot run, before a token is spent: missing capabilities or acts, unknown parameters."""
        model = self.roster["main"]
        provided = model.capabilities.provides | {"tools", "env"}
        for need in sorted(system.needs - provided):
            raise CapabilityError(need, model.spec, [NEEDS[need], *system.options.get("instead", ())])
        dialect = dialect_of(model)
        for act in sorted(system.acts):
            if dialect.acts.isdisjoint(act.split("|")):
                serve = "a chat model" if dialect.name != "chat" else ()
                raise CapabilityError(f"act {act.replace('|', ' or ')}", model.spec, serve)
        for cue in system.options.get("cues", ()):
            cue.on(dialect.name, model.spec)
        known = [*_keywords(system.run), *(_keywords(system.prepare) if system.prepare else ())]
        for name in options or {}:
            if name not in known:
                raise unknown(f"option of {system.slug}", name, known or ["(it has none)"])
        check_values(system, options or {})

    def mind(self, problem: Problem, strategy: str = "", budget: Budget | None = None) -> Mind:
        """A fresh mind on one problem."""
        trace = Trace(fingerprint(problem.id, strategy, self.seed, size=6), problem.id, strategy, self.seed)
        work = Work(problem, trace, Meter(budget or self.budget, self.run), self.sampler, self.seed, self.temperature)
        return Mind(self.roster, work)

    async def prepare(
        self, system: System, questions: Sequence[Problem], labelled: Sequence[Problem] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Artifact | None:  # fmt: skip
        """Make what the system needs before answering, or None when it needs nothing; the cost stands in the artifact.

        Questions go in without their references. Raises InputError when labelled problems are needed and there are none.
        """
        if system.prepare is None:
            return None
        problems = labelled if system.prepares == "labelled" else [replace(p, reference=None) for p in questions]
        if not problems and system.options.get("unprepared"):
            return None  # it says itself what it can do without
        if not problems:
            raise InputError(f"{system.slug} prepares on labelled problems; give some with --calibrate FILE")
        ids = fingerprint(*(p.id for p in problems))
        mind = self.mind(Problem(f"prepare-{system.slug}-{ids[:8]}", ""), system.slug, Budget())
        artifact: Artifact = await system.prepare(problems, mind, **_those(options, system.prepare))
        cost = artifact.cost + mind.work.meter.spent
        return replace(artifact, cost=cost, model=self.roster["main"].version, problems=ids, seed=self.seed)

    async def solve(
        self, problem: Problem, system: System, options: Mapping[str, Any] | None = None, artifact: Artifact | None = None
    ) -> Solved:
        """One problem, whatever happens: an answer, an abstention, or a failure with its own recorded error."""
        mind = self.mind(problem, system.slug)
        arguments = (problem, mind) if system.prepare is None else (problem, mind, artifact)
        try:
            answer: Answer = await system.run(*arguments, **_those(options, system.run))
        except BudgetExhausted as error:
            answer = best_so_far(mind, str(error))
        except OutOfScope as error:
            answer = mind.answer(None, reason=str(error))
        except (ModelError, CapabilityError, InputError) as error:
            answer = failed(mind, str(error))
        except JournalError:
            raise
        except Exception as error:  # a fault in one strategy on one problem must not end the others
            answer = failed(mind, f"{type(error).__name__}: {error}")
        return Solved(problem, settled(answer, mind, system), mind.work.trace)

    async def solve_all(
        self,
        problems: Iterable[Problem],
        system: System,
        options: Mapping[str, Any] | None = None,
        artifact: Artifact | None = None,
    ) -> AsyncIterator[Solved]:
        """Every problem, as it finishes; at most `concurrency` in flight."""
        self.check(system, options)
        most = self.concurrency or (16 if any(m.remote for m in self.roster.values()) else 256)
        queue, flying = iter(problems), set[asyncio.Task[Solved]]()
        try:
            while True:
                while len(flying) < most and (problem := next(queue, None)) is not None:
                    flying.add(asyncio.create_task(self.solve(problem, system, options, artifact)))
                if not flying:
                    return
                done, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in flying:
                task.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def close(self) -> None:
        """Release every model."""
        for model in {id(m): m for m in self.roster.values()}.values():
            await model.close()


@cache
def _keywords(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(n for n, p in inspect.signature(function).parameters.items() if p.kind is p.KEYWORD_ONLY)


def _those(options: Mapping[str, Any] | None, function: Callable[..., Any]) -> dict[str, Any]:
    """The options that this function takes: a system's are shared between its `run` and its `prepare`."""
    return {name: value for name, value in (options or {}).items() if name in _keywords(function)}


def failed(mind: Mind, error: str) -> Answer:
    """The answer of a problem that ended in an error of its own, which is recorded."""
    mind.work.trace.add("failed", {"error": error})
    return replace(mind.answer(None, reason=error), outcome="failed")


def best_so_far(mind: Mind, reason: str) -> Answer:
    """When a strategy is cut: its last answer, else the plurality of its attempts, else an abstention."""
    work = mind.work
    mind.decide("stop", reason)
    if work.best is not None and work.best.value is not None:
        return replace(work.best, reason=work.best.reason or reason)
    blocs = tally(work.problem, [a.answer for a in work.attempts])
    if not blocs:
        return mind.answer(None, reason=f"{reason} before any answer")
    share = blocs[0].weight / sum(bloc.weight for bloc in blocs)
    return mind.answer(blocs[0].value, share, "samples", reason=reason)


def settled(answer: Answer, mind: Mind, system: System) -> Answer:
    """The answer with its whole cost and the trace closed; the model's own `unknown` becomes an abstention."""
    work = mind.work
    seconds = round(time.monotonic() - work.meter.started, 6)
    answer = replace(
        answer, problem_id=work.problem.id, trace_id=work.trace.id, cost=replace(work.meter.spent, seconds=seconds),
        partial=answer.partial or work.meter.exhausted,
    )  # fmt: skip
    if answer.outcome == "answered" and answer.value == UNKNOWN:
        reason = answer.reason or "the model says that it does not know"
        answer = replace(answer, value=None, outcome="abstained", reason=reason)
    shown = {"outcome": answer.outcome, "value": answer.value, "confidence": answer.confidence, "reason": answer.reason}
    work.trace.add("answered", {**shown, "strategy": system.slug})
    return answer


UNKNOWN = "unknown"
"""The answer of a model that says it does not know."""


def total(solved: Iterable[Solved]) -> Cost:
    """What a set of solved problems cost together."""
    return sum((s.answer.cost for s in solved), Cost())


def outcomes(solved: Iterable[Solved]) -> Counter[str]:
    """How the problems ended."""
    return Counter(s.answer.outcome for s in solved)
