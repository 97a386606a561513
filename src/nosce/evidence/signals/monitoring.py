"""Which signal should be trusted? Fitted on one split, chosen on another, reported on a third."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nosce.core.artifact import Artifact
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import System
from nosce.evidence.rows import measured, plain
from nosce.evidence.signals.choosing import LEAN, QUESTION, choose, costs_of, ensembled, free
from nosce.evidence.signals.measures import SignalRow, Table, cells, row_of
from nosce.evidence.signals.observe import Observer, Seen, Watch
from nosce.evidence.signals.serve import Refused, looks_at
from nosce.evidence.signals.study import LEAST, Study
from nosce.metrics import Estimate, accuracy
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.monitor.question_only import QuestionOnly
from nosce.stores.journal import Journal


@dataclass(frozen=True)
class Monitoring:
    """What was found. `rows`: signals, best AUROC2 first; `question`, `ensemble` and `lean` (the ensemble of those that cost
    nothing beyond the samples; None where that is all of them) stand apart.

    `chosen` is the signal with the best AUROC2 on the choosing split (`chosen_there`); `cheaper` the cheapest whose AUROC2
    was not shown to be lower there. `gain` is the ensemble's AUROC2 minus the chosen signal's on the reporting split. `in_flight`
    counts calls that an earlier kill left open and that may have been paid twice.
    """

    rows: list[SignalRow]
    question: SignalRow
    ensemble: SignalRow | None
    lean: SignalRow | None
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
    in_flight: int = 0

    def row(self, name: str) -> SignalRow:
        """The row of a signal, of the ensemble or of the question-only predictor."""
        others = [row for row in (self.ensemble, self.lean, self.question) if row]
        return next(row for row in (*self.rows, *others) if row.name == name)

    def to_data(self) -> dict[str, Any]:
        """Plain JSON data, without the single questions."""
        found: dict[str, Any] = plain({name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seen"})
        return found


async def monitor(study: Study, *, out: Path | None = None, resume: bool = False, watch: Watch = lambda *_: None) -> Monitoring:
    """Carry a study out. With `out` every response of the model is journalled there as it comes, and `resume` goes on.

    Raises InputError when too few questions get an answer that is right, or wrong, to tell the two apart.
    """
    journal = Journal.open(out, study.identity(), resume=resume) if out and study.roster else None
    with journal or nullcontext():
        engine = _engine(study, journal)
        try:
            study, artifacts = await _fitted(study, engine, watch)
            observer = Observer(study.systems, engine, study.samples, artifacts, study.given, _once(study))
            choosing = await _seen(observer, study, study.choosing, watch, "choosing")
            reporting = await _seen(observer, study, study.reporting, watch, "reporting")
        finally:
            if engine is not None:
                await engine.close()
    found = _found(study, observer, choosing, reporting)
    return replace(found, in_flight=len(journal.in_flight())) if journal else found


def _engine(study: Study, journal: Journal | None) -> Engine | None:
    if study.roster is None:
        return None
    sampler = Sampler(cache=True, journal=journal)
    return Engine(study.roster, sampler=sampler, seed=study.seed, temperature=study.temperature)


def _once(study: Study) -> bool:
    return study.recorded.once if study.recorded else bool(study.roster and study.roster["main"].capabilities.n)


async def _fitted(study: Study, engine: Engine | None, watch: Watch) -> tuple[Study, dict[str, Artifact | None]]:
    """What the estimators that are fitted first were fitted to, by name; the study without those that could not be."""
    learned = [system for system in study.systems if system.prepare is not None and engine is not None]
    made, unfit = dict[str, Artifact | None](), dict[str, str]()
    for done, system in enumerate(learned):
        watch("fitting", done, len(learned))
        assert engine is not None
        try:
            made[system.name] = await engine.prepare(system, study.reporting, study.fitting)
        except InputError as error:
            unfit[system.name] = f"could not be fitted: {error}"
    if learned:
        watch("fitting", len(learned), len(learned))
    able = [system for system in study.systems if system.name not in unfit]
    return replace(study, systems=able, refused={**study.refused, **unfit}), made


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
    valued = {name: min(here.valued(name), there.valued(name)) for name in here.names}
    silent = {name: _why_silent(name, count, study.systems) for name, count in valued.items() if count < LEAST // 2}
    question = QuestionOnly.fit(there.problems, there.right, seed=study.seed)
    there, here = there.with_column(QUESTION, question.held_out), here.with_column(QUESTION, question.predict(here.problems))
    costs = {s.name: costs_of(s, kept, observer.artifacts.get(s.name)) for s in study.systems}
    heard = [system for system in study.systems if system.name not in silent]
    rows = [row_of(s.name, s.id, _source(s.name, kept), there, here, QUESTION, costs[s.name]) for s in heard]
    if not rows:
        why_not = {**study.refused, **silent}
        raise InputError("no signal has a value: " + "; ".join(f"{name}: {why}" for name, why in why_not.items()))
    chosen, level, cheaper = choose(there, rows)
    made, ensemble, gain = ensembled(study.systems, study.seed, there, here, rows, kept, chosen)
    cheap = free(rows, kept)
    lean = ensembled(study.systems, study.seed, there, here, cheap, kept, chosen, LEAN)[1] if len(cheap) < len(rows) else None
    asked = row_of(QUESTION, "", "none", there, here, QUESTION, (float(np.mean([s.single for s in kept])), 0.0, 0.0))
    return Monitoring(
        sorted(rows, key=lambda row: -(row.auroc2.value if row.auroc2 else 0.0)), asked, ensemble, lean,
        made.weights if made else {}, chosen, level, cheaper, gain, measured(lambda: accuracy(here.right)),
        len(study.fitting), len(there.right), len(here.right),
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


def _why_silent(name: str, count: int, systems: Sequence[System]) -> str:
    if count:
        return "gave a value to too few questions to be measured"
    system = next(s for s in systems if s.name == name)
    return system.options.get("silent") or f"gave no value to any question (it looks at {', '.join(sorted(looks_at(system)))})"


def _source(name: str, kept: Sequence[Seen]) -> str:
    return next((s.signals[name].source for s in kept if s.signals[name].value is not None), "none")
