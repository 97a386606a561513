"""The arms of a comparison: every system on the same problems, seeds and draws, every arm charged in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.cost import Budget
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.evidence.rows import row_of
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.base import Model

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
    """Problems, models and seeds that the arms share. One draw cache per seed: draws are shared, costs are not.

    `samplers` may be handed from bench to bench, so that claims on the same problems share their draws too.
    """

    problems: Sequence[Problem]
    roster: Mapping[str, Model]
    seeds: Sequence[int] = (0,)
    labelled: Sequence[Problem] = ()
    budget: Budget | None = None
    temperature: float | None = None
    watch: Callable[[str, int, int], None] = lambda name, done, total: None
    samplers: dict[int, Sampler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for seed in self.seeds:
            self.samplers.setdefault(seed, Sampler(cache=True))

    def engine(self, seed: int) -> Engine:
        """The engine of one seed."""
        return Engine(
            self.roster, self.budget or Budget(), sampler=self.samplers[seed], seed=seed, temperature=self.temperature
        )

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
        engine, place = self.engine(seed), {p.id: i for i, p in enumerate(self.problems)}
        artifact = await engine.prepare(system, self.problems, self.labelled, options)
        shared = artifact.cost.tokens / len(self.problems) if artifact else 0.0
        table, done = np.full((6, len(self.problems)), np.nan), 0
        async for solved in engine.solve_all(self.problems, system, options, artifact):
            row = row_of(solved.problem, solved.answer)
            answered = row.outcome == "answered"
            table[:, place[row.id]] = (
                float(answered and (row.correct or 0) >= 0.5), row.cost.tokens + shared, row.cost.completion_tokens,
                row.cost.calls, np.nan if row.confidence is None else row.confidence, float(answered),
            )  # fmt: skip
            done += 1
            self.watch(name, done, len(self.problems))
        return list(table)

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


