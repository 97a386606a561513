"""A claim about every value of a parameter: put to the test at each, and no better than at the worst."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nosce.core.claim import Claim
from nosce.core.registry import System
from nosce.evidence.arms import Bench
from nosce.evidence.training import Proved, trained
from nosce.evidence.training_run import RUNS


async def swept(system: System, claim: Claim, bench: Bench, *, runs: Path = RUNS) -> Proved:
    """Carry out a recipe's claim once for each value of the parameter that `sweep` of its options names.

    What is found is what was found at the value whose interval reaches lowest: an effect at every value is seen where that one is
    seen (an intersection–union test, valid at its level without a correction). `details` have a row for each value.
    """
    rest = {name: value for name, value in claim.options.items() if name != "sweep"}
    [(name, values)] = claim.options["sweep"].items()
    found = [await trained(system, replace(claim, options={**rest, name: value}), bench, runs=runs) for value in values]
    rows = [
        {name: value, "value": one.value, "reference": one.reference, "effect": one.effect.value,
         "interval": list(one.effect.interval), **{side: one.details[side] for side in ("after", "baseline_after")}}
        for value, one in zip(values, found, strict=True)
    ]  # fmt: skip
    worst = min(found, key=lambda one: one.effect.interval[0])
    return replace(worst, details={**worst.details, "sweep": rows})
