"""One published claim, re-tested: frozen before the run, every run kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from nosce.core.claim import Claim, Pair, Verdict
from nosce.core.codec import encode
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.evidence.arms import Arm, Bench, Clusters, Floats, frontier_at
from nosce.evidence.compare import confidence_measures
from nosce.evidence.plan import problems_hash
from nosce.evidence.rows import plain
from nosce.evidence.trials import Experiment, answering, battery, study
from nosce.metrics import Estimate, bootstrap, paired_bootstrap
from nosce.metrics.ranking import auroc2
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.stores.journal import Journal


@dataclass(frozen=True)
class Record:
    """What `nosce prove` found. Values are means over seeds and problems; the effect is signed so that positive is good."""

    system: str
    id: str
    part: str
    title: str
    claim: dict[str, Any]
    claim_hash: str
    endpoint: str
    system_value: float
    baseline_value: float
    effect: float
    interval: tuple[float, float]
    n: int
    seeds: tuple[int, ...]
    system_cost: float
    baseline_cost: float
    null_value: float | None
    outcome: Verdict
    scope: str
    model: str
    problems: str
    taught: bool
    fidelity: str
    analogue_of: str = ""
    reason: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


def frozen_claim(system: System) -> Claim:
    """The system's claim. Raises InputError when it has none."""
    if system.claim is None:
        raise InputError(f"{system.slug} makes no claim; `nosce systems` shows which do")
    return system.claim


async def prove(
    system: System,
    roster: Mapping[str, Model],
    problems: Sequence[Problem],
    *,
    labelled: Sequence[Problem] = (),
    watch: Callable[[str, int, int], None] = lambda name, done, total: None,
    sampler: Sampler | None = None,
    journal: Journal | None = None,
) -> Record:
    """Run a system's claim as it is registered. A model that cannot do what is needed gives an `unclear` record saying why.

    Claims may share the draws of a `sampler`; what a `journal` holds of the claim is not done again.
    """
    claim, started = frozen_claim(system), time.monotonic()
    chosen = [p for p in problems if not claim.families or p.family in claim.families][: claim.n]
    sampler = sampler or Sampler(cache=True, journal=journal)
    bench = Bench(chosen, roster, claim.seeds, labelled, watch=watch, sampler=sampler, journal=journal)
    if system.kind == "recipe":
        from nosce.evidence.training import on_own_ground

        bench = on_own_ground(bench, claim)
    try:
        if system.kind in ("strategy", "memory", "intervention"):
            bench.engine(0).check(system, claim.options)
        found = await _experiment(bench, system, claim)
    except (CapabilityError, InputError) as refusal:
        found = _Found(refused=str(refusal))
    return _record(system, claim, bench, found, time.monotonic() - started)


@dataclass
class _Found:
    system: float = float("nan")
    baseline: float = float("nan")
    effect: Estimate | None = None
    costs: tuple[float, float] = (0.0, 0.0)
    null: float | None = None
    refused: str = ""
    n: int | None = None
    details: dict[str, Any] = field(default_factory=dict)


async def _experiment(bench: Bench, system: System, claim: Claim) -> _Found:
    own = system.options.get("experiment")
    if own is not None:
        return await _paired(bench, own, claim)
    if system.kind == "recipe":
        from nosce.evidence.sweep import swept
        from nosce.evidence.training import trained

        run = await (swept if "sweep" in claim.options else trained)(system, claim, bench)
        return _Found(run.value, run.reference, run.effect, run.costs, n=run.n, details=run.details)
    if "measures" in system.options:
        sat = await battery(bench, system, claim)
        return _Found(sat.value, sat.reference, sat.effect, (sat.cost, 0.0), n=sat.n)
    if system.kind == "study":
        seen = await study(bench, system, claim)
        return _Found(seen.value, seen.control, seen.effect, n=seen.n, details=seen.details)
    if system.kind == "estimator":
        system = answering(system)
    if claim.endpoint not in ENDPOINTS:
        raise InputError(f"endpoint {claim.endpoint!r} needs an experiment of its own; known: {', '.join(ENDPOINTS)}")
    if not bench.problems:
        raise InputError(f"the claim is about questions of {', '.join(claim.families) or 'any family'}, and the data hold none")
    arm = await bench.arm(system, claim.options)
    base = await bench.arm(registry.find(claim.baseline), claim.baseline_options, name=f"baseline {claim.baseline}")
    null = await bench.null_of(arm)
    clusters: Clusters = np.tile(np.arange(len(bench.problems), dtype=np.int64), len(bench.seeds))
    frontier = await bench.frontier(up_to=arm.cost) if claim.endpoint == "accuracy_at_cost" else []
    values = ENDPOINTS[claim.endpoint](arm, base, frontier, clusters)
    return _Found(*values, (arm.cost, base.cost), null.accuracy)


async def _paired(bench: Bench, experiment: Experiment, claim: Claim) -> _Found:
    async def of_seed(seed: int) -> list[dict[str, Any]]:
        return [plain(pair) for pair in await experiment(bench, claim, seed)]

    rows = [await bench.once(f"pairs {claim.hash} {seed}", partial(of_seed, seed)) for seed in claim.seeds]
    pairs = [Pair(**row) for found in rows for row in found]
    units = {unit: i for i, unit in enumerate(dict.fromkeys(pair.unit for pair in pairs))}
    clusters = np.array([units[pair.unit] for pair in pairs])
    ours, theirs = np.array([p.system for p in pairs]), np.array([p.baseline for p in pairs])
    costs = float(np.mean([p.system_cost for p in pairs])), float(np.mean([p.baseline_cost for p in pairs]))
    effect = paired_bootstrap(ours, theirs, clusters=clusters)
    return _Found(float(ours.mean()), float(theirs.mean()), effect, costs, n=len(units))


Measured = tuple[float, float, Estimate]


def _at_cost(arm: Arm, base: Arm, frontier: Sequence[Arm], clusters: Clusters) -> Measured:
    """Accuracy minus self-consistency's at the system's mean tokens."""
    curve = frontier_at(frontier, arm.cost)
    return arm.accuracy, float(curve.mean()), paired_bootstrap(arm.right.ravel(), curve.ravel(), clusters=clusters)


def _accuracy(arm: Arm, base: Arm, frontier: Sequence[Arm], clusters: Clusters) -> Measured:
    """Accuracy minus the baseline's."""
    return arm.accuracy, base.accuracy, paired_bootstrap(arm.right.ravel(), base.right.ravel(), clusters=clusters)


def _tokens(arm: Arm, base: Arm, frontier: Sequence[Arm], clusters: Clusters) -> Measured:
    """Share of the baseline's tokens saved, 1 − Σ tokens / Σ baseline tokens."""
    saved = bootstrap(lambda a, b: 1 - a.sum() / b.sum(), arm.tokens.ravel(), base.tokens.ravel(), clusters=clusters)
    return arm.cost, base.cost, saved


def _auroc2(arm: Arm, base: Arm, frontier: Sequence[Arm], clusters: Clusters) -> Measured:
    """AUROC2 of the system's confidence minus that of the baseline's, over rows where both have one."""
    kept = ~np.isnan(arm.confidence.ravel()) & ~np.isnan(base.confidence.ravel())
    columns = [c.ravel()[kept] for c in (arm.confidence, arm.right, base.confidence, base.right)]

    def difference(c: Floats, r: Floats, d: Floats, q: Floats) -> float:
        return auroc2(c, r > 0.5).value - auroc2(d, q > 0.5).value

    ours, theirs = confidence_measures(arm, clusters)[0], confidence_measures(base, clusters)[0]
    effect = bootstrap(difference, *columns, clusters=clusters[kept], resamples=500)
    return ours.value if ours else float("nan"), theirs.value if theirs else float("nan"), effect


def _selective(arm: Arm, base: Arm, frontier: Sequence[Arm], clusters: Clusters) -> Measured:
    """Accuracy among the answered minus the baseline's."""
    def share(right: Floats, answered: Floats) -> float:
        return float(right.sum() / max(answered.sum(), 1.0))

    def difference(r: Floats, a: Floats, q: Floats, b: Floats) -> float:
        return share(r, a) - share(q, b)

    columns = [c.ravel() for c in (arm.right, arm.answered, base.right, base.answered)]
    effect = bootstrap(difference, *columns, clusters=clusters)
    return share(*columns[:2]), share(*columns[2:]), effect


ENDPOINTS: dict[str, Callable[[Arm, Arm, Sequence[Arm], Clusters], Measured]] = {
    "accuracy_at_cost": _at_cost,
    "accuracy": _accuracy,
    "tokens": _tokens,
    "auroc2": _auroc2,
    "selective_accuracy": _selective,
}
"""Primary endpoints by name; positive effects are good."""


def verdict(effect: Estimate | None, margin: float) -> Verdict:
    """Seen when the whole interval lies above the margin, not seen when it lies wholly at or below it, else unclear."""
    if effect is None:
        return "unclear"
    if effect.interval[0] > margin:
        return "effect seen"
    return "not seen" if effect.interval[1] <= margin else "unclear"


def _record(system: System, claim: Claim, bench: Bench, found: _Found, seconds: float) -> Record:
    model, effect = bench.roster["main"], found.effect
    nan, n = float("nan"), len(bench.problems) if found.n is None else found.n
    return Record(
        system.slug, system.id, system.part, system.title, encode(claim), claim.hash, claim.endpoint, found.system,
        found.baseline, effect.value if effect else nan, effect.interval if effect else (nan, nan), n,
        claim.seeds, *found.costs, found.null, verdict(effect, claim.margin),
        "organism" if model.dialect.startswith("socrates") else model.spec, model.version, problems_hash(bench.problems),
        claim.taught, claim.fidelity, claim.analogue_of, found.refused,
        {"nosce": version("nosce"), "numpy": np.__version__, "python": sys.version.split()[0], **_others(bench.roster)},
        round(seconds, 2), found.details,
    )  # fmt: skip


def _others(roster: Mapping[str, Model]) -> dict[str, str]:
    """The versions of the models that play other roles than `main`, where they are other models."""
    return {f"model {role}": model.version for role, model in sorted(roster.items()) if model is not roster["main"]}
