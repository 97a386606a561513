"""Many systems on one data set at matched cost: which of them help this model on these questions?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.codec import encode
from nosce.core.errors import CapabilityError, InputError
from nosce.core.registry import System, registry
from nosce.evidence.arms import Arm, Bench, Clusters, frontier_at
from nosce.evidence.plan import playable, problems_hash
from nosce.evidence.rows import measured, plain
from nosce.metrics import Estimate, aurc, auroc2, bootstrap_mean, ece, holm, paired_bootstrap
from nosce.mind.sampler import Sampler
from nosce.stores.journal import Journal


@dataclass(frozen=True)
class ComparisonRow:
    """One system: its measures, each with an interval clustered by problem, and what it gains over the curve to beat.

    `versus_frontier`: accuracy minus self-consistency's accuracy at the same mean tokens; `versus_null`: minus the null
    controller's at the same realised costs; `p_holm` belongs to versus_frontier. `refused` says why a system did not run.
    """

    slug: str
    id: str
    accuracy: Estimate | None = None
    coverage: float = 0.0
    tokens: float = 0.0
    calls: float = 0.0
    auroc2: Estimate | None = None
    ece: Estimate | None = None
    aurc: Estimate | None = None
    versus_frontier: Estimate | None = None
    versus_null: Estimate | None = None
    p: float | None = None
    p_holm: float | None = None
    verdict: str = ""
    refused: str | None = None


@dataclass(frozen=True)
class Comparison:
    """The ranking (gain over the frontier, best first; refused last) and the frontier as (k, tokens, accuracy, low, high).

    `in_flight` counts calls that an earlier kill left open and that may have been paid twice.
    """

    rows: list[ComparisonRow]
    frontier: list[tuple[int, float, float, float, float]]
    n: int
    seeds: list[int]
    model: str
    in_flight: int = 0

    def data(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "model": self.model, "n": self.n, "seeds": self.seeds, "rows": plain(self.rows), "frontier": self.frontier,
            "in_flight_when_resumed": self.in_flight,
        }  # fmt: skip


async def compare(
    bench: Bench, systems: Sequence[System], options: Mapping[str, Mapping[str, Any]] | None = None, *, out: Path | None = None,
    resume: bool = False,
) -> Comparison:  # fmt: skip
    """Run every system and the frontier on the bench. Raises InputError when a problem has no reference.

    With `out` every draw and every answer is journalled there as it comes, and `resume` goes on from there; more systems may
    join. Raises JournalError when `out` holds another comparison.
    """
    ungraded = [p.id for p in bench.problems if not p.graded]
    if ungraded:
        raise InputError(f"{len(ungraded)} problems have no answer (first: {ungraded[0]}); a comparison needs all of them graded")
    journal = Journal.open(out, identity(bench), resume=resume) if out else None
    with journal or nullcontext():
        if journal:
            bench = replace(bench, journal=journal, sampler=Sampler(cache=True, journal=journal))
        found = await _compared(bench, systems, options)
    return replace(found, in_flight=len(journal.in_flight())) if journal else found


def identity(bench: Bench) -> dict[str, Any]:
    """What makes this comparison this comparison; a journal of another identity is not resumed."""
    budget = encode(bench.budget) if bench.budget else {}
    return {
        "compared on": {role: model.version for role, model in sorted(bench.roster.items())},
        "budget": {name: value for name, value in budget.items() if value is not None},
        "seeds": list(bench.seeds), "temperature": bench.temperature,
        "problems": problems_hash(bench.problems), "labelled": problems_hash(bench.labelled),
    }  # fmt: skip


async def _compared(bench: Bench, systems: Sequence[System], options: Mapping[str, Mapping[str, Any]] | None) -> Comparison:
    clusters: Clusters = np.tile(np.arange(len(bench.problems), dtype=np.int64), len(bench.seeds))
    rows: list[ComparisonRow] = []
    arms: list[tuple[System, Arm, Arm]] = []
    for system in systems:
        try:
            bench.engine(bench.seeds[0]).check(system, (options or {}).get(system.slug))
            arm = await bench.arm(system, (options or {}).get(system.slug))
            arms.append((system, arm, await bench.null_of(arm)))
        except (CapabilityError, InputError) as refusal:
            rows.append(ComparisonRow(system.name, system.id, refused=str(refusal)))
    frontier = await bench.frontier(up_to=max((arm.cost for _, arm, _ in arms), default=0.0))
    rows = [_row(system, arm, null, frontier, clusters) for system, arm, null in arms] + rows
    curve = [(_size(arm), arm.cost, *_point(arm, clusters)) for arm in frontier]
    model = bench.roster["main"].version
    return Comparison(_ranked(_with_holm(rows)), curve, len(bench.problems), list(bench.seeds), model)


def comparable(names: Sequence[str] | None) -> list[System]:
    """The named systems; for None all registered strategies (memory systems and interventions too) that are not for answers of
    one kind only, `null` left to its role."""
    if names is not None:
        return [playable(name) for name in names]
    kinds = ("strategy", "memory", "intervention")
    return [system for system in registry if system.kind in kinds and system.slug != "null" and "only_for" not in system.options]


def _row(system: System, arm: Arm, null: Arm, frontier: Sequence[Arm], clusters: Clusters) -> ComparisonRow:
    curve = np.round(frontier_at(frontier, arm.cost), 9)  # so that a mixture with itself is no difference
    versus = paired_bootstrap(arm.right.ravel(), curve.ravel(), clusters=clusters)
    return ComparisonRow(
        system.name, system.id, bootstrap_mean(arm.right.ravel(), clusters=clusters), float(arm.answered.mean()), arm.cost,
        float(arm.calls.mean()), *confidence_measures(arm, clusters), versus,
        paired_bootstrap(arm.right.ravel(), null.right.ravel(), clusters=clusters), versus["p_value"],
    )  # fmt: skip


def confidence_measures(arm: Arm, clusters: Clusters) -> tuple[Estimate | None, Estimate | None, Estimate | None]:
    """AUROC2, ECE and AURC of an arm's raw confidence over the answered rows that have one."""
    kept = (arm.answered.ravel() > 0) & ~np.isnan(arm.confidence.ravel())
    confidence, right = arm.confidence.ravel()[kept], arm.right.ravel()[kept] > 0.5
    groups = clusters[kept]
    return (
        measured(lambda: auroc2(confidence, right, clusters=groups)),
        measured(lambda: ece(confidence, right)),
        measured(lambda: aurc(confidence, right, clusters=groups)),
    )


def _point(arm: Arm, clusters: Clusters) -> tuple[float, float, float]:
    mean = bootstrap_mean(arm.right.ravel(), clusters=clusters)
    return mean.value, *mean.interval


def _size(arm: Arm) -> int:
    return int(arm.name.rpartition("@")[2])


def _with_holm(rows: list[ComparisonRow]) -> list[ComparisonRow]:


    tested = [row for row in rows if row.p is not None]
    if not tested:
        return rows
    adjusted = holm([row.p or 0.0 for row in tested]).adjusted
    judged = {
        row.slug: replace(row, p_holm=float(p), verdict=_verdict(row, float(p))) for row, p in zip(tested, adjusted, strict=True)
    }
    return [judged.get(row.slug, row) for row in rows]


def _verdict(row: ComparisonRow, p: float) -> str:
    if row.versus_frontier is None or p > 0.05:
        return "no difference shown"
    return "better than voting" if row.versus_frontier.value > 0 else "worse than voting"


def _ranked(rows: list[ComparisonRow]) -> list[ComparisonRow]:
    return sorted(rows, key=lambda row: (row.versus_frontier is None, -(row.versus_frontier or _NOTHING).value))


_NOTHING = Estimate(0.0, (0.0, 0.0), 0)
