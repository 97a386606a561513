"""Which signal should be trusted? Fitted on one split, chosen on another, reported on a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.artifact import Artifact
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.core.streams import stream_key
from nosce.evidence.plan import problems_hash
from nosce.evidence.rows import measured, plain
from nosce.evidence.signals.measures import SignalRow, Table, cells, row_of
from nosce.evidence.signals.observe import Observer, Seen, Watch
from nosce.evidence.signals.recorded import Recorded
from nosce.evidence.signals.serve import Refused, looks_at
from nosce.metrics import Estimate, accuracy, auroc2, auroc2_difference
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.models.base import Model
from nosce.monitor.ensemble import Ensemble
from nosce.monitor.question_only import QuestionOnly
from nosce.stores.journal import Journal

QUESTION, ENSEMBLE = "question only", "ensemble"
LEAST = 20


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


@dataclass(frozen=True)
class Monitoring:
    """What was found. `rows`: signals, best AUROC2 first; `question` and `ensemble` stand apart from them.

    `chosen` is the signal with the best AUROC2 on the choosing split (`chosen_there`); `cheaper` the cheapest whose AUROC2
    was not shown to be lower there. `gain` is the ensemble's AUROC2 minus the chosen signal's on the reporting split.
    """

    rows: list[SignalRow]
    question: SignalRow
    ensemble: SignalRow | None
    weights: Mapping[str, float]
    chosen: str
    chosen_there: float
    cheaper: str | None
    gain: Estimate | None
    accuracy: Estimate | None
    fitted_on: int
    chosen_on: int
    reported_on: int
    unanswered: int
    failed: Mapping[str, str]
    refused: Refused
    model: str
    data: str
    samples: int
    seed: int
    seen: Sequence[Seen] = ()

    def row(self, name: str) -> SignalRow:
        """The row of a signal, of the ensemble or of the question-only predictor."""
        others = [row for row in (self.ensemble, self.question) if row]
        return next(row for row in (*self.rows, *others) if row.name == name)

    def data_(self) -> dict[str, Any]:
        """Plain JSON data, without the single questions."""
        return plain({name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seen"})  # type: ignore[no-any-return]


def split(problems: Sequence[Problem], labelled: Sequence[Problem], fits: bool) -> tuple[list[Problem], list[Problem], list[Problem]]:
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


async def monitor(study: Study, *, out: Path | None = None, resume: bool = False, watch: Watch = lambda *_: None) -> Monitoring:
    """Carry a study out. With `out` every response of the model is journalled there as it comes, and `resume` goes on.

    Raises InputError when too few questions get an answer that is right, or wrong, to tell the two apart.
    """
    journal = Journal.open(out, study.identity(), resume=resume) if out and study.roster else None
    with journal or nullcontext():
        engine = _engine(study, journal)
        try:
            observer = Observer(
                study.systems, engine, study.samples, await _fitted(study, engine, watch), study.given, _once(study),
            )  # fmt: skip
            choosing = await _seen(observer, study, study.choosing, watch, "choosing")
            reporting = await _seen(observer, study, study.reporting, watch, "reporting")
        finally:
            if engine is not None:
                await engine.close()
    return _found(study, observer, choosing, reporting)


def _engine(study: Study, journal: Journal | None) -> Engine | None:
    if study.roster is None:
        return None
    sampler = Sampler(cache=True, journal=journal)
    return Engine(study.roster, sampler=sampler, seed=study.seed, temperature=study.temperature)


def _once(study: Study) -> bool:
    return study.recorded.once if study.recorded else bool(study.roster and study.roster["main"].capabilities.n)


async def _fitted(study: Study, engine: Engine | None, watch: Watch) -> dict[str, Artifact | None]:
    """What the estimators that are fitted first were fitted to, by name."""
    learned = [system for system in study.systems if system.prepare is not None and engine is not None]
    made: dict[str, Artifact | None] = {}
    for done, system in enumerate(learned):
        watch("fitting", done, len(learned))
        assert engine is not None
        made[system.name] = await engine.prepare(system, study.reporting, study.fitting)
    if learned:
        watch("fitting", len(learned), len(learned))
    return made


async def _seen(observer: Observer, study: Study, problems: Sequence[Problem], watch: Watch, name: str) -> list[Seen]:
    if study.recorded is None:
        return await observer.all(problems, watch, name)
    found = []
    for done, problem in enumerate(problems, 1):
        found.append(await observer.measured(problem, study.recorded.attempts[problem.id]))
        watch(name, done, len(problems))
    return found


def _table(systems: Sequence[System], seen: Sequence[Seen]) -> tuple[Table, list[Seen]]:
    """The confidences about questions that were answered."""
    kept = [s for s in seen if s.answer is not None]
    names = tuple(system.name for system in systems)
    values = [[s.signals[name].confidence for name in names] for s in kept]
    found = np.array(values, dtype=np.float64).reshape(len(kept), len(names))
    problems = tuple(s.problem for s in kept)
    return Table(names, found, np.array([s.right for s in kept], dtype=bool), cells(problems), problems), kept


def _found(study: Study, observer: Observer, choosing: Sequence[Seen], reporting: Sequence[Seen]) -> Monitoring:
    (there, _), (here, kept) = _table(study.systems, choosing), _table(study.systems, reporting)
    _check(there, here)
    silent = {n: _why_silent(n, study.systems) for n in here.names if np.isnan(here.column(n)).all() or np.isnan(there.column(n)).all()}
    question = QuestionOnly.fit(there.problems, there.right, seed=study.seed)
    there, here = there.with_column(QUESTION, question.held_out), here.with_column(QUESTION, question.predict(here.problems))
    costs = {system.name: _costs(system, kept, observer) for system in study.systems}
    rows = [
        row_of(s.name, s.id, _source(s.name, kept), there, here, QUESTION, costs[s.name]) for s in study.systems if s.name not in silent
    ]
    if not rows:
        raise InputError("no signal has a value: " + "; ".join(f"{name}: {why}" for name, why in silent.items()))
    chosen, level, cheaper = _choose(there, rows)
    made, ensemble, gain = _ensembled(study, there, here, rows, kept, chosen)
    asked = row_of(QUESTION, "", "none", there, here, QUESTION, (float(np.mean([s.single for s in kept])), 0.0, 0.0))
    return Monitoring(
        sorted(rows, key=lambda row: -(row.auroc2.value if row.auroc2 else 0.0)), asked, ensemble, made.weights if made else {},
        chosen, level, cheaper, gain, measured(lambda: accuracy(here.right)), len(study.fitting), len(there.right), len(here.right),
        len(reporting) - len(kept), {s.problem.id: s.failed for s in (*choosing, *reporting) if s.failed},
        {**study.refused, **silent}, study.model, study.data, study.samples, study.seed, tuple(kept),
    )  # fmt: skip


def _check(there: Table, here: Table) -> None:
    for name, table in (("choosing", there), ("reporting", here)):
        right = int(table.right.sum())
        if len(table.right) < LEAST or right in (0, len(table.right)):
            raise InputError(
                f"of the questions for {name} {len(table.right)} were answered, {right} of them right; to tell right from wrong "
                f"takes at least {LEAST}, right ones and wrong ones: give more questions, or harder or easier ones"
            )


def _why_silent(name: str, systems: Sequence[System]) -> str:
    system = next(s for s in systems if s.name == name)
    return f"gave no value to any question (it looks at {', '.join(sorted(looks_at(system))) or 'the model itself'})"


def _source(name: str, kept: Sequence[Seen]) -> str:
    return next((s.signals[name].source for s in kept if s.signals[name].value is not None), "none")


def _costs(system: System, kept: Sequence[Seen], observer: Observer) -> tuple[float, float, float]:
    """Mean tokens a question of the answer and this signal alone, those beyond one attempt, and the share of fitting in them."""
    artifact = observer.artifacts.get(system.name)
    prepared = artifact.cost.tokens / len(kept) if artifact else 0.0
    base = [s.whole if "samples" in looks_at(system) else s.single for s in kept]
    whole = float(np.mean([b + s.asked[system.name] for b, s in zip(base, kept, strict=True)])) + prepared
    return whole, whole - float(np.mean([s.single for s in kept])), prepared


def _choose(there: Table, rows: Sequence[SignalRow]) -> tuple[str, float, str | None]:
    """The signal with the best AUROC2 on the choosing split, and the cheapest that is not shown to be worse there."""
    full = [row for row in rows if np.isnan(there.column(row.name)).mean() < 0.1] or list(rows)
    levels = {row.name: measured(lambda row=row: auroc2(*_present(there, row.name))) for row in full}  # type: ignore[misc]
    best = max(full, key=lambda row: (levels[row.name].value if levels[row.name] else 0.0, -row.tokens))  # type: ignore[union-attr]
    level = levels[best.name]

    def as_good(row: SignalRow) -> bool:
        has = ~np.isnan(there.column(row.name)) & ~np.isnan(there.column(best.name))
        difference = auroc2_difference(there.column(best.name)[has], there.column(row.name)[has], there.right[has])
        return difference.interval[0] <= 0

    rivals = [row for row in full if row.tokens < 0.8 * best.tokens and as_good(row)]
    cheapest = min(rivals, key=lambda row: (round(row.tokens), -levels[row.name].value), default=None)  # type: ignore[union-attr]
    return best.name, level.value if level else float("nan"), cheapest.name if cheapest else None


def _present(table: Table, name: str) -> tuple[Any, Any]:
    has = ~np.isnan(table.column(name))
    return table.column(name)[has], table.right[has]


def _ensembled(
    study: Study, there: Table, here: Table, rows: Sequence[SignalRow], kept: Sequence[Seen], chosen: str
) -> tuple[Ensemble | None, SignalRow | None, Estimate | None]:
    """The ensemble of all signals that have a value, fitted on the choosing split, and what it gains over the chosen one."""
    names = [row.name for row in rows]
    if len(names) < 2:
        return None, None, None
    made = Ensemble.fit(names, np.column_stack([there.column(n) for n in names]), there.right, seed=study.seed)
    sure = made.predict(names, np.column_stack([here.column(n) for n in names]))
    used = [s for s in study.systems if s.name in made.names]
    base = "whole" if any("samples" in looks_at(s) for s in used) else "single"
    prepared = sum(row.prepared for row in rows if row.name in made.names)
    tokens = float(np.mean([getattr(s, base) + sum(s.asked[u.name] for u in used) for s in kept])) + prepared
    costs = (tokens, tokens - float(np.mean([s.single for s in kept])), prepared)
    there, here = there.with_column(ENSEMBLE, made.held_out), here.with_column(ENSEMBLE, sure)
    row = row_of(ENSEMBLE, "", "several", there, here, QUESTION, costs)
    has = ~np.isnan(here.column(chosen))
    gain = measured(lambda: auroc2_difference(sure[has], here.column(chosen)[has], here.right[has]))
    return made, replace(row, n=len(here.right)), gain
