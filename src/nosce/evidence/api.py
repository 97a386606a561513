"""What there is to do, from Python: solve, calibrate, compare, signals, prove."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import registry
from nosce.evidence import run as running
from nosce.evidence.arms import Bench
from nosce.evidence.calibration import Calibrated, Wish, calibrate_rows
from nosce.evidence.compare import Comparison, comparable
from nosce.evidence.compare import compare as run_comparison
from nosce.evidence.labels import Labelled
from nosce.evidence.plan import plan
from nosce.evidence.promise import Limits
from nosce.evidence.proofs import Proofs, identity
from nosce.evidence.prove import Record
from nosce.evidence.signals.monitoring import Monitoring, monitor
from nosce.evidence.signals.study import plan_signals
from nosce.models.load import load_probed_roster
from nosce.stores.journal import Journal
from nosce.tasks.bundled import draw_problems
from nosce.tasks.load import load_problems


def solve(data: str, *, out: str | Path | None = None, resume: bool = False, **wishes: Any) -> running.Run:
    """Answer the questions of a file, each with a confidence, abstaining where a promised risk demands it.

    `wishes` are those of `nosce.evidence.plan.plan`: model, strategy, options, budget, risk, calibrate, seed, … Raises
    InputError or CapabilityError before a token is spent.
    """
    made = plan(data, out=Path(out) if out else None, **wishes)
    return asyncio.run(running.solve(made, resume=resume))


def calibrate(
    data: str, *, method: str = "auto", risks: Sequence[float] = (), delta: float = 0.05, limits: Limits | None = None,
    out: str | Path | None = None, **wishes: Any,
) -> Calibrated:  # fmt: skip
    """Fit a strategy's confidence on labelled questions and test a promise for each of `risks`; kept in `out` where given.

    `solve(…, calibrator=out)` uses it. `wishes` are those of `nosce.evidence.plan.plan`: model, strategy, signal, options, … Raises
    InputError or CapabilityError before a token is spent.
    """
    made = plan(data, **wishes)
    ungraded = [problem.id for problem in made.problems if not problem.graded]
    if ungraded:
        raise InputError(f"{data}: {len(ungraded)} questions have no answer (first: {ungraded[0]}); calibration needs labels")
    rows = Labelled.of(asyncio.run(running.solve(made)).rows)
    done = calibrate_rows(rows, made.about(), Wish(method, tuple(risks), delta, limits or Limits()))
    if out is not None:
        Path(out).write_text(done.calibration.to_json(), encoding="utf-8")
    return done


def compare(
    data: str | Sequence[Problem], *, strategies: Sequence[str] | None = None, model: str | Mapping[str, str] = "socrates",
    seeds: int = 1, calibrate: str | None = None, out: str | Path | None = None, resume: bool = False,
) -> Comparison:  # fmt: skip
    """Strategies (all registered ones by default) on graded problems, paired and at matched cost.

    With `out` every draw and answer is journalled there as it comes, and `resume` goes on from there.
    """
    problems = load_problems(data) if isinstance(data, str) else list(data)
    labelled = load_problems(calibrate) if calibrate else []
    bench = Bench(problems, asyncio.run(load_probed_roster(model)), range(seeds), labelled)
    return asyncio.run(run_comparison(bench, comparable(strategies), out=Path(out) if out else None, resume=resume))


def signals(
    data: str | Sequence[Problem], signals: str | Sequence[str] = "all", *, model: str | Mapping[str, str] | None = None,
    samples: int = 5, calibrate: str | Sequence[Problem] | None = None, **wishes: Any,
) -> Monitoring:  # fmt: skip
    """What each signal is worth on graded questions (or on the recorded attempts of a run's folder), and which to use.

    `wishes` are those of `nosce.evidence.signals.study.plan_signals`: seed, temperature, columns, kind, limit, and what the
    model does not bring: `embed` (texts to vectors), `nli` (a folder) or `entails` (a function), `same` (which attempts say the
    same). Raises InputError or CapabilityError before a token is spent.
    """
    made = plan_signals(data, signals=signals, model=model, samples=samples, calibrate=calibrate, **wishes)
    return asyncio.run(monitor(made))


def prove(
    system: str, *, model: str | Mapping[str, str] = "socrates", problems: Sequence[Problem] | None = None,
    out: str | Path | None = None, resume: bool = False,
) -> Record:  # fmt: skip
    """Re-test one published claim on the bundled test problems (or the given ones) and return its evidence record.

    With `out` every draw and answer is journalled there as it comes, and `resume` goes on from there.
    """
    found, roster = registry.find(system), asyncio.run(load_probed_roster(model))
    chosen, labelled = list(problems) if problems is not None else draw_problems(n=1200), draw_problems(n=300, part="dev")
    journal = Journal.open(Path(out), identity(roster, chosen, labelled), resume=resume) if out else None
    with journal or nullcontext():
        return asyncio.run(Proofs(roster, chosen, labelled, journal).prove(found))
