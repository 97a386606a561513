"""A run, fully decided and checked before a token is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nosce.core.codec import encode
from nosce.core.cost import Budget
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System, registry
from nosce.core.streams import fingerprint
from nosce.evidence.signalled import OWN, with_signal
from nosce.mind.engine import Engine
from nosce.mind.meter import Meter
from nosce.models.base import Model
from nosce.models.load import load_probed_roster
from nosce.tasks.load import load_problems

if TYPE_CHECKING:
    from nosce.core.artifact import Artifact
    from nosce.evidence.calibration import About
    from nosce.evidence.policy import Policy
    from nosce.evidence.promise import Promise


@dataclass(frozen=True)
class Plan:
    """Everything a `solve` run needs, validated."""

    data: str
    problems: tuple[Problem, ...]
    roster: Mapping[str, Model]
    system: System
    options: Mapping[str, Any] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    run_budget: Budget = field(default_factory=Budget)
    risk: float | None = None
    delta: float = 0.05
    calibration: tuple[Problem, ...] = ()
    out: Path | None = None
    seed: int = 0
    temperature: float | None = None
    concurrency: int | None = None
    signal: str = OWN
    promise: Promise | None = None
    artifact: Artifact | None = None

    def engine(self, **parts: Any) -> Engine:
        """An engine with this plan's roster, budgets and seed."""
        return Engine(
            self.roster, self.budget, Meter(self.run_budget), seed=self.seed, temperature=self.temperature,
            concurrency=self.concurrency, **parts,
        )  # fmt: skip

    def identity(self) -> dict[str, Any]:
        """What makes this run this run; a journal of another identity is not resumed."""
        return {
            "models": {role: model.version for role, model in sorted(self.roster.items())},
            "strategy": f"{self.system.id}/{self.system.part}",
            "options": {name: str(value) for name, value in sorted(self.options.items())},
            "budget": {name: value for name, value in encode(self.budget).items() if value is not None},
            "seed": self.seed,
            "temperature": self.temperature,
            **({} if self.signal == OWN else {"signal": self.signal}),
            "problems": problems_hash(self.problems),
            "calibration": problems_hash(self.calibration),
        }


    def settings(self) -> dict[str, Any]:
        """What shapes the confidence besides model, strategy and signal: options, budget and temperature, where given."""
        options = dict(sorted(self.options.items()))
        budget = {name: value for name, value in encode(self.budget).items() if value is not None}
        given = {"options": options, "budget": budget, "temperature": self.temperature}
        return {name: value for name, value in given.items() if value not in ({}, None)}

    def about(self) -> About:
        """Whose confidence this plan measures."""
        from nosce.evidence.calibration import About

        return About(self.roster["main"].version, self.system.name, self.signal, self.settings(), self.roster["main"].spec)


def problems_hash(problems: Sequence[Problem]) -> str:
    """Digest of ids and texts, in order."""
    return fingerprint(*(f"{p.id}\n{p.text}\n{p.context}" for p in problems))


def plan(
    data: str,
    *,
    model: str | Mapping[str, str] = "socrates",
    strategy: str = "self-consistency",
    options: Mapping[str, Any] | None = None,
    budget: str | None = None,
    run_budget: str | None = None,
    risk: float | None = None,
    delta: float = 0.05,
    calibrate: str | None = None,
    out: Path | None = None,
    seed: int = 0,
    columns: Mapping[str, str] | None = None,
    kind: str | None = None,
    limit: int | None = None,
    temperature: float | None = None,
    concurrency: int | None = None,
    signal: str = OWN,
    calibrator: str | Path | None = None,
) -> Plan:
    """Read, look up and check everything. Raises InputError or CapabilityError saying what to do; spends no token."""
    _check_numbers(risk, delta, temperature, limit, concurrency)
    if calibrate and calibrator:
        raise InputError("--calibrate and --calibrator contradict each other: calibrate anew, or use what was made; leave one out")
    if risk is not None and calibrate is None and calibrator is None:
        raise InputError(f"--risk {risk} needs labelled questions (--calibrate FILE) or what `nosce calibrate` made (--calibrator)")
    system = with_signal(playable(strategy), signal)
    problems = tuple(load_problems(data, columns=columns or {}, kind=kind))[:limit]
    calibration = tuple(load_problems(calibrate, columns=columns or {}, kind=kind)) if calibrate else ()
    _check_labels(problems, calibration, calibrate or "")
    made = Plan(
        data, problems, asyncio.run(load_probed_roster(model)), system, dict(options or {}),
        Budget.parse(budget) if budget else Budget(), Budget.parse(run_budget) if run_budget else Budget(),
        risk, delta, calibration, out, seed, temperature, concurrency, signal,
    )  # fmt: skip
    made.engine().check(system, made.options)
    return made if calibrator is None else _promised(made, Path(calibrator))


def _promised(made: Plan, path: Path) -> Plan:
    """The plan with what a calibrator file promises, held against the model, strategy, signal and questions of the plan."""
    from nosce.evidence.calibration_file import read_calibration
    from nosce.evidence.policy import Policy

    kept = read_calibration(path)
    try:
        if isinstance(kept, Policy):
            return _decided(made, kept)
        kept.check(made.about(), made.problems)
        return replace(made, promise=kept.promise(made.risk))
    except InputError as error:
        raise InputError(f"--calibrator {path}: {error}") from None


def _decided(made: Plan, kept: Policy) -> Plan:
    """The plan of `auto` with a fitted ladder, and where it stops so that the risk is kept."""
    from nosce.evidence.calibration_file import named

    if made.system.name != "auto" or made.signal != OWN:
        raise InputError(f"it calibrates auto's own confidence, not {made.signal} of {made.system.name}; use --strategy auto")
    model, dialect = named(made.roster["main"].spec)
    kept.check(model, named(made.roster["strong"].spec)[0] if "strong" in made.roster else "", dialect)
    kept.check_questions(made.problems)
    options, withheld = kept.options(made.risk)
    if withheld is not None:
        raise InputError(f"at risk {made.risk:g}: {withheld}; calibrate on more labelled questions")
    return replace(made, options={**made.options, **options}, artifact=kept.artifact)


def playable(name: str) -> System:
    """The system of that name that answers questions: its first part of such a kind. Raises InputError when it has none."""
    found = registry.find(name)
    kinds = ("strategy", "memory", "intervention")
    there = [s for s in registry if s.id == found.id and s.kind in kinds and ("/" not in name or s.part == found.part)]
    if not there:
        raise InputError(f"{found.slug} is a {found.kind}, not a strategy; run it with `nosce prove {found.name}`")
    return next((s for s in there if s.part == "main"), there[0])


def _check_numbers(
    risk: float | None, delta: float, temperature: float | None, limit: int | None, concurrency: int | None
) -> None:
    for name, value in (("risk", risk), ("delta", delta)):
        if value is not None and not 0 < value < 1:
            raise InputError(f"--{name} {value}: expected a share between 0 and 1, e.g. 0.2")
    if temperature is not None and not 0 <= temperature <= 10:
        raise InputError(f"--temperature {temperature}: expected 0 (greedy) to 10")
    for name, count in (("limit", limit), ("concurrency", concurrency)):
        if count is not None and count < 1:
            raise InputError(f"--{name} {count}: expected at least 1")


def _check_labels(problems: Sequence[Problem], calibration: Sequence[Problem], source: str) -> None:
    unlabelled = [p.id for p in calibration if not p.graded]
    if unlabelled:
        raise InputError(f"{source}: {len(unlabelled)} rows have no answer (first: {unlabelled[0]}); calibration needs labels")
    shared = {(p.text, p.context) for p in problems} & {(p.text, p.context) for p in calibration}
    if shared:
        text = min(shared, key=str)[0]
        raise InputError(f"{source}: {len(shared)} questions stand in the data too (e.g. {text!r}); calibrate on others")


@dataclass(frozen=True)
class Estimate:
    """What a run would cost, from a few trial-free counts: the strategy's calls are simulated with empty budgets.

    `calls` and tokens are upper bounds per problem times the number of problems (calibration included).
    """

    problems: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    money: float | None
    exact: bool = False


def estimate(made: Plan) -> Estimate:
    """An upper estimate of a run's cost, found by running the strategy on a model that answers nothing and costs the most.

    No token is spent: a stand-in of the same context and dialect replies with worst-case empty samples to a sample of up to 20
    problems; the mean is scaled to all.
    """
    from nosce.evidence.dry_run import worst_case

    return asyncio.run(worst_case(made))
