"""Profiles from Python."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from nosce.batteries.profile import Plan, Profile, chosen
from nosce.batteries.profile import profile as run_profile
from nosce.batteries.sitting import source_of
from nosce.core.battery import Source
from nosce.core.cost import Budget
from nosce.models.load import load_probed_roster


def profile(
    model: str | Mapping[str, str] = "socrates", *, battery: str = "all", n: int = 120, seed: int = 0, budget: str | None = None,
    out: str | Path | None = None, resume: bool = False, items: Source | None = None,
) -> Profile:  # fmt: skip
    """Sit a model through batteries (`all`, or slugs and ids with commas) of n items each and return what was found.

    `items` says where questions come from; give "bundled" to compare any model with the bundled one by
    `nosce.batteries.profile.differences`. Raises InputError or CapabilityError before a token is spent.
    """
    roster = asyncio.run(load_probed_roster(model))
    plan = Plan(chosen(battery), n, seed, Budget.parse(budget) if budget else Budget())
    source = items or source_of(roster["main"])
    return asyncio.run(run_profile(plan, roster, source=source, out=Path(out) if out else None, resume=resume))
