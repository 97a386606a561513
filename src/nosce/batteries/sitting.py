"""One model sits one battery: every item its own Mind, every row kept."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nosce.batteries.findings import findings
from nosce.core.battery import Finding, Item, Row, Source
from nosce.core.codec import decode, encode
from nosce.core.cost import Cost
from nosce.core.errors import BudgetExhausted, CapabilityError, InputError, ModelError, OutOfScope
from nosce.core.registry import System, registry
from nosce.mind.engine import Engine
from nosce.mind.mind import Mind
from nosce.models.base import Model
from nosce.stores.journal import Journal

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Sitting:
    """What one model did in one battery. `refused` says why it did not sit it; then there are no rows."""

    battery: System
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    items: int = 0
    refused: str = ""

    @property
    def unfinished(self) -> int:
        """Items that ended early: out of budget, out of the model's scope, or failed."""
        return sum(row["ended"] != "done" for row in self.rows)

    def finding(self, name: str) -> Finding:
        """The finding of that name. Raises InputError when the battery has none."""
        hit = next((f for f in self.findings if f.measure.name == name), None)
        if hit is None:
            known = ", ".join(f.measure.name for f in self.findings)
            raise InputError(f"{self.battery.slug} measures no {name!r}; it has {known}")
        return hit


def batteries() -> list[System]:
    """Every registered battery, by id."""
    return [system for system in registry if "measures" in system.options]


def source_of(*models: Model) -> Source:
    """`bundled` as soon as one of the models reads nothing else."""
    return "bundled" if any(model.dialect.startswith("socrates") for model in models) else "general"


async def sit(
    battery: System, engine: Engine, items: Sequence[Item], *, journal: Journal | None = None,
    watch: Watch = lambda name, done, total: None,
) -> Sitting:  # fmt: skip
    """Put every item to the engine's main model. Raises CapabilityError, before a token is spent, when it cannot do an act."""
    engine.check(battery)
    _check_ids(battery, items)
    known = _kept(battery, journal)
    rows: dict[str, list[Row]] = {i.problem.id: known[i.problem.id] for i in items if i.problem.id in known}
    gate = asyncio.Semaphore(engine.concurrency or (16 if any(m.remote for m in engine.roster.values()) else 256))

    async def one(item: Item) -> None:
        async with gate:
            mind = engine.mind(item.problem, battery.slug)
            rows[item.problem.id] = found = await _put(battery, item, mind)
            if journal and found[0]["ended"] != "failed":
                key = f"{battery.slug}/{item.problem.id}"
                journal.result(key, json.dumps(found, ensure_ascii=False), mind.work.trace.to_json())
            watch(battery.slug, len(rows), len(items))

    await _all(one(item) for item in items if item.problem.id not in rows)
    return sitting(battery, [row for item in items for row in rows[item.problem.id]], len(items))


def sitting(battery: System, rows: list[Row], items: int) -> Sitting:
    """What rows say, wherever they came from: the measures, the remarks and the cost."""
    done = [row for row in rows if row["ended"] == "done"]
    remarks = list(battery.options["remarks"](done)) if "remarks" in battery.options and done else []
    cost = sum((decode(Cost, row["cost"]) for row in rows if row.get("cost")), Cost())
    return Sitting(battery, rows, findings(battery.options["measures"], done), remarks, cost, items)


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Everything at once; what stops one (a full disk, Ctrl-C) stops the rest."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _put(battery: System, item: Item, mind: Mind) -> list[Row]:
    """The rows of one item, each with what joins it to its item; the first carries the cost of all."""
    ended, reason, got = "done", "", list[Row]()
    try:
        result = await battery.run(item.problem, mind, **item.given)
        got = [result] if isinstance(result, dict) else list(result)
    except BudgetExhausted as error:
        ended, reason = "budget", str(error)
    except OutOfScope as error:
        ended, reason = "out of scope", str(error)
    except (ModelError, CapabilityError, InputError) as error:
        ended, reason = "failed", str(error)
    problem = item.problem
    about = {"item": problem.id, "question": problem.text, "family": problem.family, "level": problem.level, "ended": ended}
    rows: list[Row] = [{**about, **row} for row in got] or [{**about, "reason": reason}]
    rows[0] = {**rows[0], "cost": encode(mind.work.meter.spent), "trace": mind.work.trace.id}
    return rows


def _kept(battery: System, journal: Journal | None) -> dict[str, list[Row]]:
    """Rows of items that an earlier run finished; those that failed are not kept, and so are put again."""
    found: dict[str, list[Row]] = {}
    for key, rows, _ in journal.results() if journal else ():
        slug, _, item = key.partition("/")
        if slug == battery.slug:
            found[item] = json.loads(rows)
    return found


def _check_ids(battery: System, items: Sequence[Item]) -> None:
    if not items:
        raise InputError(f"{battery.slug} has no items")
    twice, times = Counter(item.problem.id for item in items).most_common(1)[0]
    if times > 1:
        raise InputError(f"{battery.slug}: two items have the id {twice!r}; rows could not be told apart")
