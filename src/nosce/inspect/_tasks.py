"""Questions of ours, and batteries, as tasks of Inspect."""

from __future__ import annotations

import math
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from nosce.batteries import sit, sitting, source_of
from nosce.core.battery import Item
from nosce.core.codec import decode
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.inspect._model import InspectModel
from nosce.inspect._problems import PROBLEM, ROWS, sample_of
from nosce.inspect._scorers import confident
from nosce.inspect._solvers import strategy as strategy_solver
from nosce.mind.engine import Engine
from nosce.tasks.load import load_problems


@task
def questions(
    data: str | list[str] = "family:all?n=100", strategy: str = "self-consistency", kind: str | None = None, **options: Any
) -> Task:
    """A file of questions (or `family:…`), answered by one of our strategies, scored with its confidence."""
    data = data if isinstance(data, str) else ",".join(data)  # Inspect's command line splits at commas
    problems = load_problems(data, kind=kind)
    ungraded = [problem.id for problem in problems if not problem.graded]
    if ungraded:
        raise InputError(f"{data}: {len(ungraded)} questions have no answer to score by (first: {ungraded[0]})")
    dataset = MemoryDataset([sample_of(problem) for problem in problems], name=data)
    return Task(dataset=dataset, solver=strategy_solver(strategy, **options), scorer=confident(), name="questions")


@task
def battery(name: str = "metacognitive-monitoring-battery", n: int = 100, seed: int = 0, source: str | None = None) -> Task:
    """One of our batteries by its name or catalogue id; its measures are the metrics. See `task_of`."""
    return task_of(name, n=n, seed=seed, source=source)


def task_of(name: str | System, *, n: int = 100, seed: int = 0, source: str | None = None) -> Task:
    """A battery as a task: a sample an item, the probes as solver, every measure of the battery as a metric.

    `source`: items in words ("general") or of the bundled model's grammar ("bundled", chosen by itself where the evaluation's model
    is the bundled one). Raises InputError where the name is no battery.
    """
    system = registry.find(name) if isinstance(name, str) else name
    if "measures" not in system.options:
        raise InputError(f"{system.name} is a {system.kind}, no battery; `nosce systems --kind battery` lists them")
    chosen: Any = source or source_of(InspectModel(get_model()))
    items: list[Item] = system.options["items"](n, seed, chosen)
    dataset = MemoryDataset([sample_of(item.problem, given=dict(item.given)) for item in items], name=system.slug)
    return Task(dataset=dataset, solver=probes(system.name, seed), scorer=probed(system.name), name=system.slug)


@solver
def probes(name: str, seed: int = 0) -> Solver:
    """Put the sample's item to the model; the rows that come back go into the metadata."""
    system = registry.find(name)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        engine = Engine({"main": InspectModel(get_model())}, seed=seed + 1000 * (state.epoch - 1))
        item = Item(decode(Problem, state.metadata[PROBLEM]), state.metadata.get("given") or {})
        state.metadata[ROWS] = (await sit(system, engine, [item])).rows
        return state

    return solve


@metric
def findings(name: str) -> Metric:
    """Every measure of a battery over all samples, by name; NaN where it is not defined."""

    def measured(scores: list[SampleScore]) -> Value:
        rows = [row for sample in scores for row in (sample.score.metadata or {}).get(ROWS, ())]
        found = sitting(registry.find(name), rows, len(scores)).findings
        return {f.measure.name: math.nan if f.estimate is None else f.estimate.value for f in found}

    return measured


def probed(name: str) -> Scorer:
    """A sample is done (1) or ended early (0); the battery's measures are the metrics."""

    @scorer(metrics=[findings(name)], name="probed")
    def made(battery: str) -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            rows = state.metadata.get(ROWS) or []
            done = bool(rows) and all(row["ended"] == "done" for row in rows)
            return Score(value=float(done), metadata={ROWS: rows})

        return score

    return made(name)
