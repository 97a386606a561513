"""A profile: what one model did in all batteries, on disk as it is made, and beside it a second model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nosce.batteries.findings import difference
from nosce.batteries.sitting import Sitting, Watch, batteries, sit, source_of
from nosce.core.battery import Finding, Source
from nosce.core.codec import encode
from nosce.core.cost import Budget, Cost
from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import System, registry
from nosce.mind.engine import Engine
from nosce.mind.meter import Meter
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.stores.journal import Journal

Roster = Mapping[str, Model]


@dataclass(frozen=True)
class Plan:
    """What a profile is to be: which batteries, how many items each, which seed, under which budgets."""

    batteries: Sequence[System]
    n: int = 120
    seed: int = 0
    budget: Budget = field(default_factory=Budget)
    run_budget: Budget = field(default_factory=Budget)
    temperature: float | None = None
    concurrency: int | None = None

    def identity(self, model: Model, source: Source) -> dict[str, Any]:
        """What makes a sitting this sitting; a journal of another identity is not resumed. More batteries may join it."""
        return {"profile": model.version, "items": source, **self.words()}

    def words(self) -> dict[str, Any]:
        """What was asked for, whichever the model: items, seed, temperature and budget of an item."""
        budget = {name: value for name, value in encode(self.budget).items() if value is not None}
        return {"n": self.n, "seed": self.seed, "temperature": self.temperature, "budget": budget}


@dataclass(frozen=True)
class Profile:
    """One model's sittings, in the order of the batteries. `in_flight` counts calls that a kill left open, perhaps paid twice."""

    spec: str
    version: str
    source: Source
    n: int
    seed: int
    sittings: list[Sitting]
    in_flight: int = 0

    @property
    def cost(self) -> Cost:
        """What all sittings cost together."""
        return sum((sitting.cost for sitting in self.sittings), Cost())

    @property
    def failed(self) -> int:
        """Items that ended in an error of the model or server."""
        return sum(row["ended"] == "failed" for sitting in self.sittings for row in sitting.rows)

    def data(self) -> dict[str, Any]:
        """Plain JSON data, findings by battery."""
        return {
            "model": self.spec, "version": self.version, "items": self.source, "n": self.n, "seed": self.seed,
            "cost": encode(self.cost), "batteries": [_data(sitting) for sitting in self.sittings],
        }  # fmt: skip


def _data(sitting: Sitting) -> dict[str, Any]:
    return {
        "id": sitting.battery.id, "battery": sitting.battery.slug, "title": sitting.battery.title, "refused": sitting.refused,
        "items": sitting.items, "unfinished": sitting.unfinished, "cost": encode(sitting.cost), "remarks": sitting.remarks,
        "findings": [finding.data() for finding in sitting.findings],
    }  # fmt: skip


def chosen(names: str) -> list[System]:
    """The batteries named (`all`, or slugs and ids with commas). Raises InputError for anything that is none."""
    if names == "all":
        return batteries()
    found = [_battery_of(name.strip()) for name in names.split(",") if name.strip()]
    for system in found:
        if "measures" not in system.options:
            known = ", ".join(battery.slug for battery in batteries())
            raise InputError(f"{system.slug} is a {system.kind}, not a battery; known: {known}, or all")
    if not found:
        raise InputError("no battery named; say all, or some of " + ", ".join(b.slug for b in batteries()))
    return found


def _battery_of(name: str) -> System:
    """The system of that name; of one with several parts, the part that is a battery."""
    system = registry.find(name)
    parts = [] if "measures" in system.options else [battery for battery in batteries() if battery.id == system.id]
    return parts[0] if parts and "/" not in name else system


def check(plan: Plan, roster: Roster, source: Source) -> None:
    """Raises InputError when the model can sit none of the batteries; asks it nothing."""
    engine, reasons = Engine(roster, seed=plan.seed), []
    for battery in plan.batteries:
        try:
            engine.check(battery)
            battery.options["items"](plan.n, plan.seed, source)
            return
        except (CapabilityError, InputError) as refusal:
            reasons.append(str(refusal))
    raise InputError("; ".join(dict.fromkeys(reasons)))


async def profile(
    plan: Plan, roster: Roster, *, source: Source | None = None, out: Path | None = None, resume: bool = False,
    watch: Watch = lambda name, done, total: None,
) -> Profile:  # fmt: skip
    """Sit the model through every battery. With `out`, responses and rows are journalled there as they come, traces written.

    Batteries share the draws of the same prompts on the same problems; each is charged in full. What the model cannot do is a
    sitting that says so. Raises InputError when it can sit none of them.
    """
    model = roster["main"]
    source = source or source_of(model)
    journal = Journal.open(out, plan.identity(model, source), resume=resume) if out else None
    with journal or nullcontext():
        engine = Engine(
            roster, plan.budget, Meter(plan.run_budget), Sampler(cache=True, journal=journal), plan.seed, plan.temperature,
            plan.concurrency,
        )  # fmt: skip
        sittings = [await _sitting(battery, engine, plan, source, journal, watch) for battery in plan.batteries]
        if journal:
            _write(sittings, journal)
    if all(sitting.refused for sitting in sittings):
        raise InputError("; ".join(dict.fromkeys(sitting.refused for sitting in sittings)))
    open_ = len(journal.in_flight()) if journal else 0
    return Profile(model.spec, model.version, source, plan.n, plan.seed, sittings, open_)


async def _sitting(
    battery: System, engine: Engine, plan: Plan, source: Source, journal: Journal | None, watch: Watch
) -> Sitting:
    try:
        engine.check(battery)
        items = battery.options["items"](plan.n, plan.seed, source)
        return await sit(battery, engine, items, journal=journal, watch=watch)
    except (CapabilityError, InputError) as refusal:
        return Sitting(battery, refused=str(refusal))


def _write(sittings: Sequence[Sitting], journal: Journal) -> None:
    """Rows by battery, and every trace (which `nosce show` shows and `replay:` plays again)."""
    from nosce.report.files import write_whole

    write_whole(journal.folder / "traces.jsonl", "".join(f"{trace}\n" for _, _, trace in journal.results()))
    for sitting in sittings:
        if sitting.rows:
            lines = (json.dumps(row, ensure_ascii=False) for row in sitting.rows)
            write_whole(journal.folder / "rows" / f"{sitting.battery.slug}.jsonl", "".join(f"{line}\n" for line in lines))


def differences(first: Profile, second: Profile) -> dict[str, dict[str, Finding]]:
    """First minus second by battery and measure, items paired, where both sat a battery.

    Raises InputError when the two were not put to the same items.
    """
    if (first.source, first.n, first.seed) != (second.source, second.n, second.seed):
        raise InputError("the two profiles were made from different items; make both with the same --n, --seed and items")
    others = {sitting.battery.slug: sitting for sitting in second.sittings if not sitting.refused}
    return {
        own.battery.slug: {
            finding.measure.name: difference(finding.measure, done(own), done(others[own.battery.slug])) for finding in own.findings
        }
        for own in first.sittings
        if not own.refused and own.battery.slug in others
    }


def done(sitting: Sitting) -> list[dict[str, Any]]:
    """The rows of items that came to their end."""
    return [row for row in sitting.rows if row["ended"] == "done"]
