"""Making a policy: every rung of the ladder is climbed on labelled questions, put as callers put theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nosce.control.ladder import Seen, look
from nosce.core.cost import Cost
from nosce.core.errors import InputError, ModelError, OutOfScope
from nosce.core.problem import Message, Problem
from nosce.core.streams import fingerprint
from nosce.mind.engine import Engine
from nosce.models.base import Model
from nosce.serve.asking import ask
from nosce.serve.caller import Caller
from nosce.serve.config import Config
from nosce.serve.policy import Policy
from nosce.serve.upstreams import Upstreams

AT_ONCE = 8
Watch = Callable[[int, int, Cost], None]


async def calibrate(config: Config, problems: Sequence[Problem], *, system: str = "", watch: Watch | None = None) -> Policy:
    """A policy for the first upstream and the strong one. `system` stands before every question, as it does in production.

    Two questions in five fit the ladder, the rest carry its promises. Raises InputError on too few or unlabelled
    questions, before anything is asked; a question that fails is left out.
    """
    from nosce.evidence.labels import split_labels

    if unlabelled := [p.id for p in problems if not p.graded]:
        raise InputError(f"{len(unlabelled)} questions have no answer (first: {unlabelled[0]}); calibration needs labels")
    fitting, testing = split_labels(list(problems))
    upstreams = Upstreams(config)
    try:
        seen = await _seen(config, upstreams, [*fitting, *testing], system, watch or (lambda done, all_, cost: None))
    finally:
        await upstreams.close()
    strong = named(config, config.strong) if config.strong else ""
    halves = [[seen[p.id] for p in half if p.id in seen] for half in (fitting, testing)]
    return Policy.fit(halves[0], halves[1], named(config, config.first), strong)


def named(config: Config, alias: str) -> str:
    """The model's own name."""
    upstream = config.upstreams[alias][0]
    return upstream.served[0] or upstream.model


async def _seen(
    config: Config, upstreams: Upstreams, problems: Sequence[Problem], system: str, watch: Watch
) -> dict[str, Seen]:  # fmt: skip
    slots, found, spent = asyncio.Semaphore(AT_ONCE), dict[str, Seen](), Cost()
    shared: dict[str, Model] = {}

    async def one(problem: Problem) -> None:
        nonlocal spent
        put = replace(problem, messages=(Message("system", system), *problem.messages)) if system else problem
        async with slots:
            mind = Engine(_roster(config, upstreams, put, shared)).mind(put)
            try:
                found[problem.id] = await look(put, mind)
            except (ModelError, OutOfScope):
                return
            finally:
                spent += mind.work.meter.spent
                watch(len(found), len(problems), spent)

    async with asyncio.TaskGroup() as group:
        for problem in problems:
            group.create_task(one(problem))
    return found


def _roster(config: Config, upstreams: Upstreams, problem: Problem, shared: dict[str, Model]) -> Mapping[str, Model]:
    roles = {"main": config.first, **({"strong": config.strong} if config.strong else {})}
    return {role: _model(upstreams, alias, problem, shared) for role, alias in roles.items()}


def _model(upstreams: Upstreams, alias: str, problem: Problem, shared: dict[str, Model]) -> Model:
    replica = upstreams.replicas[alias][0]
    if not replica.base:
        from nosce.models.load import load

        return shared.setdefault(alias, load(replica.settings.model) if alias not in shared else shared[alias])
    text = "\n".join(filter(None, [problem.context, problem.text, *(f"{chr(65 + i)}. {c}" for i, c in enumerate(problem.choices))]))
    messages = [*({"role": m.role, "content": m.content} for m in problem.messages), {"role": "user", "content": text}]

    async def asks(sent: dict[str, Any]) -> dict[str, Any]:
        return await ask(upstreams, alias, sent, {})

    version = fingerprint(replica.model, replica.base, size=8)
    return Caller(
        asks, {"messages": messages}, spec=f"{alias}:{replica.model}", version=version, abilities=upstreams.abilities[alias],
        price=replica.settings.price,
    )  # fmt: skip
