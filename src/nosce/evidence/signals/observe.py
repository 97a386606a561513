"""Sample a question once, and let every signal look at it; what each would cost alone can be told afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.cost import Cost
from nosce.core.errors import BudgetExhausted, CapabilityError, InputError, ModelError, OutOfScope
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.core.signal import Signal
from nosce.evidence.signals.serve import looks_at
from nosce.mind.engine import UNKNOWN, Engine
from nosce.monitor.observe import observe
from nosce.monitor.statistics import Statistics

ALTERNATIVES = 20
Watch = Callable[[str, int, int], None]
Views = dict[frozenset[str], tuple[Statistics, Cost]]


@dataclass(frozen=True)
class Seen:
    """One question: its first attempt's answer and grade, the signals about it by name, and what was paid.

    `answer` is None where there is nothing to be sure of: no answer, or the model says that it does not know. `asked` are the
    tokens of each signal beyond the attempts, `single` those of the first attempt, `whole` those of all.
    """

    problem: Problem
    answer: str | None
    right: bool
    signals: Mapping[str, Signal] = field(default_factory=dict)
    asked: Mapping[str, int] = field(default_factory=dict)
    single: int = 0
    whole: int = 0
    failed: str = ""


@dataclass(frozen=True)
class Observer:
    """Watches the attempts of a model, or recorded ones (no engine), with the given estimators.

    `artifacts` holds what estimators that are fitted first were fitted to; `given` are further fields of the statistics;
    `once` says that several samples of one request pay for their prompt together.
    """

    systems: Sequence[System]
    engine: Engine | None = None
    samples: int = 5
    artifacts: Mapping[str, Artifact | None] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    once: bool = True

    async def all(self, problems: Sequence[Problem], watch: Watch, name: str) -> list[Seen]:
        """Every question, in order, many at once."""
        if self.engine is None:
            raise InputError("no model to sample; hand recorded attempts to `recorded`")
        remote = any(model.remote for model in self.engine.roster.values())
        gate, done = asyncio.Semaphore(self.engine.concurrency or (16 if remote else 256)), 0

        async def one(problem: Problem) -> Seen:
            nonlocal done
            async with gate:
                seen = await self.one(problem)
            done += 1
            watch(name, done, len(problems))
            return seen

        return list(await asyncio.gather(*(one(problem) for problem in problems)))

    async def one(self, problem: Problem) -> Seen:
        """Sample the question and measure; a model that fails on it costs this question alone."""
        assert self.engine is not None
        mind = self.engine.mind(problem, "monitor")
        read_off = {"top", "entropies", "pieces"} if mind.model.remote else {"top"}  # local ones give entropies and tokens
        top = ALTERNATIVES if any(looks_at(system) & read_off for system in self.systems) else 0
        most = max((self._drawn(system) for system in self.systems), default=1)
        try:
            attempts = await mind.think(problem, n=most, top=min(top, mind.model.capabilities.top))
            return await self.measured(problem, attempts, mind.work.meter.spent.tokens)
        except (OutOfScope, ModelError, BudgetExhausted, CapabilityError) as error:
            return Seen(problem, None, False, failed=str(error))

    async def measured(self, problem: Problem, attempts: Sequence[Attempt], spent: int | None = None) -> Seen:
        """What every signal says about the first attempt. `spent` tokens went into all attempts, as far as that is known."""
        first = attempts[0]
        said = None if first.answer == UNKNOWN else first.answer
        paid = attempts[0].cost.tokens, self._paid(attempts) if spent is None else spent
        if said is None:
            return Seen(problem, None, False, {}, {}, *paid)
        views: Views = {}
        signals, asked = dict[str, Signal](), dict[str, int]()
        for system in self.systems:
            try:
                signal, cost = await self._signal(system, problem, attempts, views)
            except (ModelError, BudgetExhausted, CapabilityError, InputError):  # costs this signal alone
                signal, cost = Signal(system.name, None, "none"), Cost()
            signals[system.name] = signal
            asked[system.name] = cost.tokens
        return Seen(problem, said, problem.check(said) >= 0.5, signals, asked, *paid)

    async def _signal(
        self, system: System, problem: Problem, attempts: Sequence[Attempt], views: Views
    ) -> tuple[Signal, Cost]:
        """The signal and what was paid for it beyond the attempts. Pure estimators share the statistics of the question."""
        measure = system.options.get("measure")
        if measure is not None:
            plain = await self._view(problem, attempts, frozenset(), views)
            lacking = frozenset(measure.lacks(plain[0]))
            needs = lacking | (looks_at(system) & {"samples"}) if lacking else lacking
            stats, cost = await self._view(problem, attempts, needs, views)
            return measure(stats), cost
        assert self.engine is not None
        mind = self.engine.mind(problem, system.name)
        prepared = () if system.prepare is None else (self.artifacts[system.name],)
        return await system.run(problem, attempts[: self._drawn(system)], mind, *prepared), mind.work.meter.spent

    async def _view(
        self, problem: Problem, attempts: Sequence[Attempt], needs: frozenset[str], views: Views
    ) -> tuple[Statistics, Cost]:
        """The statistics with these further readings of the model, made once, and what they cost."""
        if needs not in views:
            if self.engine is None or not needs:
                views[needs] = Statistics(problem, attempts, **self.given), Cost()
            else:
                mind = self.engine.mind(problem, "observe")
                views[needs] = await observe(problem, attempts, mind, needs, **self.given), mind.work.meter.spent
        return views[needs]

    def _drawn(self, system: System) -> int:
        """How many attempts the estimator would have drawn for itself."""
        return self.samples if "samples" in looks_at(system) else 1

    def _paid(self, attempts: Sequence[Attempt]) -> int:
        """Tokens of these attempts."""
        prompts = [attempt.cost.prompt_tokens for attempt in attempts]
        return (max(prompts) if self.once else sum(prompts)) + sum(attempt.cost.completion_tokens for attempt in attempts)
