"""Making a policy: every rung of the ladder is climbed on labelled questions, put as callers put theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nosce.control.ladder import Seen, look
from nosce.core.codec import decode, encode_json
from nosce.core.cost import Cost
from nosce.core.errors import InputError, ModelError, OutOfScope
from nosce.core.problem import Message, Problem
from nosce.core.streams import fingerprint
from nosce.core.together import all_or_none
from nosce.evidence.plan import problems_hash
from nosce.evidence.policy import AS_ASKED, Policy
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.serve.asking import ask
from nosce.serve.caller import Caller
from nosce.serve.config import Config
from nosce.serve.upstreams import Upstreams
from nosce.stores.journal import Journal

AT_ONCE, LOCAL = 8, 256
"""Questions under way at once: at a server, and in this process, where they share one batch."""

Watch = Callable[[int, int, Cost], None]


async def calibrate(
    config: Config, problems: Sequence[Problem], *, system: str = "", watch: Watch | None = None, out: Path | None = None,
    resume: bool = False,
) -> Policy:  # fmt: skip
    """A policy for the first upstream and the strong one. `system` stands before every question, as it does in production.

    Two questions in five fit the ladder, the rest carry its promises. With `out` every answer is journalled there as it comes,
    and `resume` goes on from there. Raises InputError on too few or unlabelled questions, before anything is asked; a question
    that fails is left out. Where the first AT_ONCE all fail, or so many that too few are left, it is a ModelError that says why.
    """
    from nosce.evidence.labels import split_labels

    if unlabelled := [p.id for p in problems if not p.graded]:
        raise InputError(f"{len(unlabelled)} questions have no answer (first: {unlabelled[0]}); calibration needs labels")
    fitting, testing = split_labels(list(problems))
    journal = Journal.open(out, identity(config, problems, system), resume=resume) if out else None
    upstreams = Upstreams(config)
    with journal or nullcontext():
        try:
            work = _Work(config, upstreams, system, watch or (lambda done, all_, cost: None), journal)
            seen = await work.seen([*fitting, *testing])
        finally:
            await upstreams.close()
    strong = named(config, config.strong) if config.strong else ""
    halves = [[seen[p.id] for p in half if p.id in seen] for half in (fitting, testing)]
    dialect = AS_ASKED if config.upstreams[config.first][0].served[0] else "socrates"
    try:
        return Policy.fit(halves[0], halves[1], named(config, config.first), strong, dialect=dialect, problems=problems)
    except InputError as error:
        if not work.failures:
            raise
        failed = f"{len(work.failures)} of {len(problems)} questions failed"
        raise ModelError(f"{failed} (the last: {work.failures[-1]}); {error}") from None


def identity(config: Config, problems: Sequence[Problem], system: str) -> dict[str, Any]:
    """What makes this calibration this one; a journal of another identity is not resumed."""
    asked = [config.first, *([config.strong] if config.strong else [])]
    models = {alias: [named(config, alias), config.upstreams[alias][0].served[1]] for alias in asked}
    return {"calibrated for": models, "system": system, "problems": problems_hash(problems)}


def named(config: Config, alias: str) -> str:
    """The model's own name."""
    upstream = config.upstreams[alias][0]
    return upstream.served[0] or upstream.model


@dataclass
class _Work:
    config: Config
    upstreams: Upstreams
    system: str
    watch: Watch
    journal: Journal | None = None
    spent: Cost = field(default_factory=Cost)
    shared: dict[str, Model] = field(default_factory=dict)
    failures: list[ModelError] = field(default_factory=list)

    async def seen(self, problems: Sequence[Problem]) -> dict[str, Seen]:
        """What was seen of each question that did not fail."""
        aliases = [alias for alias in (self.config.first, self.config.strong) if alias]
        remote = any(self.config.upstreams[alias][0].served[0] for alias in aliases)
        slots = asyncio.Semaphore(AT_ONCE if remote else LOCAL)
        known = self.journal.under("seen/") if self.journal else {}
        found = {p.id: decode(Seen, known[key]) for p in problems if (key := f"seen/{p.id}") in known}
        sampler = Sampler(journal=self.journal)

        async def one(problem: Problem) -> None:
            put = replace(problem, messages=(Message("system", self.system), *problem.messages)) if self.system else problem
            async with slots:
                mind = Engine(_roster(self.config, self.upstreams, put, self.shared), sampler=sampler).mind(put)
                try:
                    found[problem.id] = seen = await look(put, mind)
                    if self.journal:
                        self.journal.result(f"seen/{problem.id}", encode_json(seen), "")
                except OutOfScope:
                    return
                except ModelError as error:
                    self.failures.append(error)
                    if not found and len(self.failures) >= min(AT_ONCE, len(problems)):
                        raise
                finally:
                    self.spent += mind.work.meter.spent
                    self.watch(len(found), len(problems), self.spent)

        await all_or_none([one(problem) for problem in problems if problem.id not in found])
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
