"""How the claim of a system that is no plain strategy is put to the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, Protocol

import numpy as np

from nosce.batteries.sitting import sit, sitting, source_of
from nosce.core.answer import Answer
from nosce.core.battery import Item, Row
from nosce.core.claim import Claim, Pair
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.evidence.arms import Bench
from nosce.metrics import Estimate, bootstrap_mean
from nosce.mind.mind import Mind
from nosce.monitor.fallback import ATTEMPTS

ALTERNATIVES = 20


class Experiment(Protocol):
    """What a system that is no plain strategy registers as `experiment=`: the paired observations of one seed."""

    async def __call__(self, bench: Bench, claim: Claim, seed: int) -> Sequence[Pair]:
        """Observations of system and baseline on the same units."""


def answering(system: System) -> System:
    """An estimator as a strategy: think, answer with the first thought, the estimator's signal as confidence.

    `looks_at` of its registration says what it needs of the thoughts: `samples` (five are drawn), `top`, `pieces`, `entropies`
    (alternatives, as many as the model gives).
    """
    looks_at = system.options.get("looks_at", ())

    @wraps(system.run)
    async def run(problem: Problem, mind: Mind, *more: Any, **options: Any) -> Answer:
        top = min(ALTERNATIVES, mind.model.capabilities.top) if {"top", "pieces", "entropies"} & set(looks_at) else 0
        attempts = await mind.think(problem, n=ATTEMPTS if "samples" in looks_at else 1, top=top)
        mind.answer(attempts[0].answer)
        signal = await system.run(problem, attempts, mind, *more, **options)
        return mind.answer(attempts[0].answer, signal.confidence, signal.source, signals=(signal,))

    return replace(system, kind="strategy", run=run)


@dataclass(frozen=True)
class Studied:
    """What a study measured over its seeds: the claim's endpoint, its control (0 where there is none) and the effect.

    `details` are the means of all other numbers that it returned.
    """

    value: float
    control: float
    effect: Estimate
    n: int
    details: dict[str, float]


async def study(bench: Bench, system: System, claim: Claim) -> Studied:
    """Run a study once per seed; its result holds the claim's endpoint by name, and `baseline` where it has a control.

    The interval is over seeds (t with as many degrees of freedom as seeds less one): a study's own units differ.
    """
    name = f"study {system.name} {claim.hash}"
    found = [await bench.once(f"{name} {seed}", partial(_of_seed, bench, system, claim, seed)) for seed in claim.seeds]
    values = np.array([result[claim.endpoint] for result in found], dtype=float)
    controls = np.array([result.get("baseline", 0.0) for result in found], dtype=float)
    rest = [name for name in found[0] if name not in (claim.endpoint, "baseline", "n", "seed")]
    details = {name: float(np.mean([result[name] for result in found])) for name in rest}
    effect = over_seeds(values - controls)
    return Studied(float(values.mean()), float(controls.mean()), effect, int(found[0].get("n", 0)), details)


async def _of_seed(bench: Bench, system: System, claim: Claim, seed: int) -> dict[str, float]:
    """Every number that the study tells: the claim's endpoint, control and n where it has them, and the rest."""
    mind = None if "none" in system.needs else bench.engine(seed).mind(Problem(f"study-{system.slug}-{system.part}", ""))
    result: dict[str, Any] = await system.run(mind, seed=seed, **claim.options)
    if claim.endpoint not in result:
        raise InputError(f"study {system.slug}/{system.part} reports no {claim.endpoint!r}; it has {', '.join(result)}")
    return {name: float(value) for name, value in result.items() if isinstance(value, int | float) and not isinstance(value, bool)}


@dataclass(frozen=True)
class Sat:
    """What a battery's claim came to: the endpoint's finding, what it is read against, tokens an item, and items a seed."""

    value: float
    reference: float
    effect: Estimate
    cost: float
    n: int


async def battery(bench: Bench, system: System, claim: Claim) -> Sat:
    """Sit a battery once per seed, `claim.n` fresh items each; the claim is that its endpoint lies above its reference.

    The interval is the finding's own, over the items of all seeds together.
    """
    model, sat = bench.roster["main"], []
    for seed in claim.seeds:
        items = system.options["items"](claim.n, seed, source_of(model), **claim.options)

        async def rows_of(seed: int = seed, items: Sequence[Item] = items) -> list[Row]:
            return (await sit(system, bench.engine(seed), items, watch=bench.watch)).rows

        kept = await bench.once(f"battery {system.name} {claim.hash} {seed}", rows_of)
        sat.append(sitting(system, kept, len(items)))
    rows, asked = [row for one in sat for row in one.rows], sum(one.items for one in sat)
    found = sitting(system, rows, asked).finding(claim.endpoint)
    if found.estimate is None:
        raise InputError(f"{claim.endpoint} of {system.slug} is not defined here: {found.reason}")
    at, e = found.measure.reference or 0.0, found.estimate
    effect = Estimate(e.value - at, (e.interval[0] - at, e.interval[1] - at), e.n, e.method)
    return Sat(e.value, at, effect, sum(one.cost.tokens for one in sat) / asked, round(e.n / len(sat)))


def over_seeds(effects: np.ndarray[Any, np.dtype[np.float64]]) -> Estimate:
    """Mean effect over seeds with its t interval (two seeds at least)."""
    from scipy import stats

    if effects.size < 2:
        return bootstrap_mean(np.repeat(effects, 2))
    mean, error = float(effects.mean()), float(stats.sem(effects))
    reach = float(stats.t.ppf(0.975, effects.size - 1)) * error
    return Estimate(mean, (mean - reach, mean + reach), effects.size, "t over seeds")
