"""The arms of a comparison: every system on the same problems, seeds and draws, every arm charged in full."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nosce.core.codec import json_line
from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.core.streams import fingerprint
from nosce.evidence.rows import Row, row_of
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.stores.journal import Journal

T = TypeVar("T")
Floats = NDArray[np.float64]
Clusters = NDArray[np.int64]
FRONTIER = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Arm:
    """What one system did: arrays [seeds, problems], aligned with the problems of the comparison.

    `right` is 1 for an answered problem that is right, else 0; `confidence` is NaN where there is none; `tokens` are prompt and
    completion together, with the cost of preparing spread over the problems.
    """

    name: str
    right: Floats
    tokens: Floats
    completion: Floats
    calls: Floats
    confidence: Floats
    answered: Floats

    @property
    def accuracy(self) -> float:
        """Share right over all problems and seeds."""
        return float(self.right.mean())

    @property
    def cost(self) -> float:
        """Mean tokens per problem."""
        return float(self.tokens.mean())


@dataclass
class Bench:
    """Problems, models and seeds that the arms share. Count are shared, costs are not.

    `sampler` may be handed from bench to bench, so that claims on the same problems share their draws too. With a `journal`
    every draw and every answer is on disk as it comes, and what is there already is not done again.
    """

    problems: Sequence[Problem]
    roster: Mapping[str, Model]
    seeds: Sequence[int] = (0,)
    labelled: Sequence[Problem] = ()
    budget: Budget | None = None
    temperature: float | None = None
    watch: Callable[[str, int, int], None] = lambda name, done, total: None
    sampler: Sampler = field(default_factory=lambda: Sampler(cache=True))
    journal: Journal | None = None

    def engine(self, seed: int) -> Engine:
        """The engine of one seed."""
        return Engine(self.roster, self.budget or Budget(), sampler=self.sampler, seed=seed, temperature=self.temperature)

    @cached_property
    def ground(self) -> str:
        """Digest of what decides an answer and its grade besides system, options and seed."""
        asked = [
            (p.id, p.text, p.messages, p.choices, p.context, p.tools, p.reference, p.equivalence)
            for p in (*self.problems, *self.labelled)
        ]
        versions = {role: model.version for role, model in sorted(self.roster.items())}
        return fingerprint(versions, self.budget, self.temperature, len(self.problems), *asked)

    async def once(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` makes, plain JSON data; where an earlier start of this run made it already, that."""
        if self.journal is None:
            return await make()
        key = f"once/{fingerprint(name, self.ground, size=8)}"
        for kept in self.journal.under(key).values():
            found: T = json.loads(kept)
            return found
        made = await make()
        self.journal.result(key, json_line(made), "")
        return made

    async def arm(
        self, system: System, options: Mapping[str, Any] | None = None, *, name: str = "",
        options_of: Callable[[int], Mapping[str, Any]] | None = None,
    ) -> Arm:  # fmt: skip
        """Run one system over all seeds. `options_of(seed)` gives options that differ by seed."""
        name, chosen = name or system.name, options_of or (lambda seed: options or {})
        runs = [await self._seed(system, chosen(seed), seed, name) for seed in self.seeds]
        columns = [np.stack(column) for column in zip(*runs, strict=True)]
        return Arm(name, *columns)

    async def _seed(self, system: System, options: Mapping[str, Any], seed: int, name: str) -> list[Floats]:
        key = f"arm/{fingerprint(system.id, system.part, sorted(options.items()), seed, self.ground, size=8)}/"
        kept = self.journal.under(key) if self.journal else {}
        table: dict[str, list[float]] = {place.removeprefix(key): json.loads(row) for place, row in kept.items()}
        self.watch(name, len(table), len(self.problems))
        async for row, columns in self._rows(system, options, seed, [p for p in self.problems if p.id not in table]):
            table[row.id] = columns
            self.watch(name, len(table), len(self.problems))
            if self.journal and row.outcome != "failed":  # what failed is tried again when the run is resumed
                self.journal.result(key + row.id, json_line(columns), "")
        return list(np.array([table[p.id] for p in self.problems], dtype=float).T)

    async def _rows(
        self, system: System, options: Mapping[str, Any], seed: int, waiting: Sequence[Problem]
    ) -> AsyncIterator[tuple[Row, list[float]]]:
        """Each problem as it is done, with the columns of its arm."""
        if not waiting:
            return
        engine = self.engine(seed)
        artifact = await engine.prepare(system, self.problems, self.labelled, options)
        shared = artifact.cost.tokens / len(self.problems) if artifact else 0.0
        async for solved in engine.solve_all(waiting, system, options, artifact):
            row = row_of(solved.problem, solved.answer)
            answered = row.outcome == "answered"
            yield row, [
                float(answered and (row.correct or 0) >= 0.5), row.cost.tokens + shared, row.cost.completion_tokens,
                row.cost.calls, float("nan") if row.confidence is None else row.confidence, float(answered),
            ]  # fmt: skip

    async def frontier(self, sizes: Sequence[int] = FRONTIER, up_to: float = 0.0) -> list[Arm]:
        """Self-consistency at several sizes: the curve to beat. The last size is doubled until it costs `up_to` (64 at most)."""
        system = registry.find("self-consistency")
        arms = [await self.arm(system, {"k": k}, name=f"self-consistency@{k}") for k in sizes]
        k = sizes[-1]
        while arms[-1].cost < up_to and k < 64:
            k *= 2
            arms.append(await self.arm(system, {"k": k}, name=f"self-consistency@{k}"))
        return arms

    async def null_of(self, partner: Arm) -> Arm:
        """The null controller with the partner's realised completion tokens, permuted over the problems (one way a seed)."""

        def costs(seed: int) -> dict[str, Any]:
            order = np.random.default_rng(seed + 1).permutation(len(self.problems))
            spent = partner.completion[list(self.seeds).index(seed)][order]
            return {"tokens": {p.id: int(t) for p, t in zip(self.problems, spent, strict=True)}}

        return await self.arm(registry.find("null"), name=f"null of {partner.name}", options_of=costs)


def frontier_at(frontier: Sequence[Arm], cost: float) -> Floats:
    """What self-consistency gets right at a mean cost, per seed and problem, [seeds, problems].

    Rule: between two sizes, each is used for the share of problems that makes the mean cost right (a straight line between the
    points); cheaper than one thought, the rest is left unanswered; beyond the last size, the last size.
    """
    costs = [0.0, *(arm.cost for arm in frontier)]
    rights = [np.zeros_like(frontier[0].right), *(arm.right for arm in frontier)]
    above = int(np.searchsorted(costs, cost))
    if above >= len(costs):
        return rights[-1]
    share = (cost - costs[above - 1]) / (costs[above] - costs[above - 1]) if above else 0.0
    low = rights[max(above - 1, 0)]
    return (1 - share) * low + share * rights[above]


