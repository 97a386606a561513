"""What is to be measured, decided and checked before a token is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.core.streams import stream_key
from nosce.evidence.plan import problems_hash
from nosce.evidence.signals.comparing import comparing
from nosce.evidence.signals.recorded import Recorded, is_run, read_run
from nosce.evidence.signals.serve import Refused, insist, listed, served, wanted
from nosce.mind.engine import Engine
from nosce.models.base import Model
from nosce.models.load import load_probed_roster
from nosce.monitor.equivalence import Sameness
from nosce.tasks.load import load_problems

LEAST = 20
"""Answered questions that a split must hold."""


@dataclass(frozen=True)
class Study:
    """What is to be measured, checked: splits, estimators that can work, and what was refused. `roster` is None for `recorded`."""

    data: str
    fitting: Sequence[Problem]
    choosing: Sequence[Problem]
    reporting: Sequence[Problem]
    systems: Sequence[System]
    refused: Refused
    roster: Mapping[str, Model] | None = None
    recorded: Recorded | None = None
    samples: int = 5
    seed: int = 0
    temperature: float | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """What was watched."""
        return self.roster["main"].version if self.roster else self.recorded.model if self.recorded else ""

    def identity(self) -> dict[str, Any]:
        """What makes this study this study; a journal of another identity is not resumed."""
        parts = (self.fitting, self.choosing, self.reporting)
        return {
            "models": self.model, "signals": [s.name for s in self.systems], "samples": self.samples, "seed": self.seed,
            "temperature": self.temperature, "problems": [problems_hash(part) for part in parts],
        }  # fmt: skip


def plan_signals(
    data: str | Sequence[Problem],
    *,
    signals: str | Sequence[str] = "all",
    model: str | Mapping[str, str] | None = None,
    samples: int = 5,
    calibrate: str | Sequence[Problem] | None = None,
    seed: int = 0,
    temperature: float | None = None,
    columns: Mapping[str, str] | None = None,
    kind: str | None = None,
    limit: int | None = None,
    nli: str | None = None,
    same: str | Sameness | None = None,
    view: str | None = None,
    **given: Any,
) -> Study:
    """Read, look up and check everything; spends no token.

    `data`: graded questions, or the folder of a run whose attempts are measured as they are (no model is needed then).
    `nli`, `same` and `view`: see `comparing`. `given` goes to the statistics: `embed`, `entails`. Raises InputError or
    CapabilityError saying what to do; where a signal that was named cannot be had, with the names of those that can.
    """
    _check_numbers(samples, limit, temperature)
    systems = wanted(signals)
    given |= comparing(nli, same, view) if same is None or isinstance(same, str) else {**comparing(nli, None, view), "same": same}
    recorded, problems = _questions(data, model, columns or {}, kind, limit)
    labelled = _loaded(calibrate, columns or {}, kind) if calibrate else []
    if recorded and labelled:
        raise InputError("--calibrate goes with a model; recorded attempts are split among themselves")
    _check_apart(problems, labelled)
    roster = None if recorded else asyncio.run(load_probed_roster(model or "socrates"))
    engine = None if roster is None else Engine(roster, seed=seed, temperature=temperature)
    graded = not _unlabelled([*problems, *labelled])
    has = recorded.has if recorded else frozenset[str]()
    able, refused = served(systems, engine, samples=samples, labelled=graded, given=given, recorded=has)
    if not graded:
        raise InputError(_no_labels([*problems, *labelled], able))
    if signals != "all" or not able:
        everything, _ = served(wanted("all"), engine, samples=samples, labelled=True, given=given, recorded=has)
        insist(refused, [*able, *(system for system in everything if system not in able)])
    fits = any(system.prepare is not None and system.prepares == "labelled" for system in able)
    parts = split(problems, labelled, fits)
    samples = max(len(made) for made in recorded.attempts.values()) if recorded else samples
    named = data if isinstance(data, str) else f"{len(problems)} questions"
    return Study(named, *parts, able, refused, roster, recorded, samples, seed, temperature, given)


def _questions(
    data: str | Sequence[Problem], model: str | Mapping[str, str] | None, columns: Mapping[str, str], kind: str | None,
    limit: int | None,
) -> tuple[Recorded | None, list[Problem]]:  # fmt: skip
    if not isinstance(data, str) or not is_run(data):
        return None, _loaded(data, columns, kind)[:limit]
    if model is not None:
        raise InputError(f"{data} is a run whose attempts are recorded; leave --model out, or give the run's questions instead")
    recorded = read_run(data, columns=columns, kind=kind, limit=limit)
    return recorded, list(recorded.problems)


def _loaded(data: str | Sequence[Problem], columns: Mapping[str, str], kind: str | None) -> list[Problem]:
    return load_problems(data, columns=columns, kind=kind) if isinstance(data, str) else list(data)


def _unlabelled(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.graded]


def _no_labels(problems: Sequence[Problem], able: Sequence[System]) -> str:
    missing = _unlabelled(problems)
    free = listed([system for system in able if system.prepare is None])
    return (
        f"{len(missing)} of {len(problems)} questions have no answer (first: {missing[0].id}), and what a signal is worth is told "
        f"by right and wrong; give answers (--column answer=NAME). Without any, these signals can be computed, not measured: {free}"
    )


def _check_apart(problems: Sequence[Problem], labelled: Sequence[Problem]) -> None:
    shared = {(p.text, p.context) for p in problems} & {(p.text, p.context) for p in labelled}
    if shared:
        text = min(shared, key=str)[0]
        raise InputError(f"{len(shared)} questions of --calibrate stand in the data too (e.g. {text!r}); choose on others")


def _check_numbers(samples: int, limit: int | None, temperature: float | None) -> None:
    if not 1 <= samples <= 64:
        raise InputError(f"--samples {samples}: expected 1 to 64")
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: expected at least 1")
    if temperature is not None and not 0 <= temperature <= 10:
        raise InputError(f"--temperature {temperature}: expected 0 (greedy) to 10")


def split(
    problems: Sequence[Problem], labelled: Sequence[Problem], fits: bool
) -> tuple[list[Problem], list[Problem], list[Problem]]:
    """Questions to fit on (none unless `fits`), to choose on and to report on, apart by a hash of their ids.

    With `labelled` the first two come from there and all `problems` are reported on; else the problems are halved, and a
    quarter goes to fitting. Raises InputError where a split would be too small.
    """
    pool = labelled or [p for p in problems if _turn(p) < 2]
    fitting = [p for p in pool if fits and stream_key("fit", p.id) % 2 == 0]
    choosing = [p for p in pool if not fits or stream_key("fit", p.id) % 2 == 1]
    reporting = list(problems) if labelled else [p for p in problems if _turn(p) >= 2]
    sizes = [len(choosing), len(reporting), *([len(fitting)] if fits else [])]
    if min(sizes) < LEAST:
        raise InputError(
            f"{len(problems) + len(labelled)} labelled questions are too few to choose a signal on some and to report it on "
            f"others; give at least {6 * LEAST if fits else 3 * LEAST}"
        )
    return fitting, choosing, reporting


def _turn(problem: Problem) -> int:
    return stream_key("monitor", problem.id) % 4
