"""Questions in; answers out with a confidence, abstentions and a truthful cost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.codec import decode, encode_json
from nosce.core.cost import Cost
from nosce.core.errors import JournalError
from nosce.core.problem import Problem
from nosce.core.trace import Trace, TraceFile
from nosce.evidence.calibration import Wish, fit
from nosce.evidence.labels import Labelled, split_labels
from nosce.evidence.plan import Plan
from nosce.evidence.promise import Promise
from nosce.evidence.rows import Row, Summary, plain, row_of, summarise, withhold
from nosce.mind.engine import Engine
from nosce.mind.sampler import Sampler
from nosce.stores.journal import Journal

Stage = Literal["prepare", "calibrate", "solve"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands; `correct` is the share right among the graded so far."""

    stage: Stage
    done: int
    total: int
    answered: int = 0
    abstained: int = 0
    failed: int = 0
    correct: float | None = None
    tokens: int = 0


@dataclass(frozen=True)
class Run:
    """A finished run. `in_flight` counts calls that an earlier kill left open and that may have been paid twice."""

    plan: Plan
    rows: list[Row]
    summary: Summary
    promise: Promise | None
    calibration: list[Row]
    traces: Mapping[str, Trace]
    prepared: Cost
    in_flight: int = 0

    @property
    def out(self) -> Path | None:
        """The folder it was written to."""
        return self.plan.out


Watch = Callable[[Progress], None]


async def solve(plan: Plan, *, resume: bool = False, on_event: Watch | None = None) -> Run:
    """Carry out a plan. With `out`, every response and result is journalled as it comes and `resume` goes on from there.

    Cancelling (Ctrl-C) or killing leaves a journal that `resume` completes; answers are written to `results.jsonl`,
    traces to `traces.jsonl`, the measures to `summary.json`. Raises JournalError when `out` holds another run.
    """
    started = time.monotonic()
    watch = on_event or (lambda progress: None)
    journal = Journal.open(plan.out, plan.identity(), resume=resume) if plan.out else None
    with journal or nullcontext():
        engine = plan.engine(sampler=Sampler(journal=journal))
        try:
            work = _Work(plan, engine, journal, watch)
            labelled, questions = list(plan.calibration), list(plan.problems)
            promise = plan.promise
            calibration: list[Row] = []
            spent = Cost()
            if labelled:
                fitting, testing = split_labels(labelled)
                calibration, cost = await work.stage("calibrate", labelled, fitting)
                spent += cost
                promise = _promise(plan, calibration, fitting, testing)
            rows, cost = await work.stage("solve", questions, split_labels(labelled)[0] if labelled else [])
            rows = [promise.apply(row) for row in rows] if promise else rows
            traces = work.traces if journal is None else _write_traces(journal, journal.folder / "traces.jsonl")
            run = Run(
                plan, rows, summarise(rows, time.monotonic() - started), promise, calibration, traces, spent + cost,
                len(journal.in_flight()) if journal else 0,
            )  # fmt: skip
        finally:
            await engine.close()
    if plan.out:
        write(run, plan.out)
    return run


def _promise(plan: Plan, rows: Sequence[Row], fitting: Sequence[Problem], testing: Sequence[Problem]) -> Promise:
    known = {row.id: row for row in rows}
    ours, theirs = (Labelled.of([known[p.id] for p in part]) for part in (fitting, testing))
    risks = () if plan.risk is None else (plan.risk,)
    made, _ = fit(ours, theirs, plan.about(), Wish("beta", risks, plan.delta))
    return Promise(made.calibrator, made.thresholds[0] if made.thresholds else None)


def _write_traces(journal: Journal, path: Path) -> TraceFile:
    _write(path, (trace for key, _, trace in journal.results() if key.startswith("solve/")))
    return TraceFile(path)


class _Work:
    def __init__(self, plan: Plan, engine: Engine, journal: Journal | None, watch: Watch) -> None:
        self.plan, self.engine, self.journal, self.watch = plan, engine, journal, watch
        self.traces: dict[str, Trace] = {}
        self.known = {pid: answer for pid, answer, _ in journal.results()} if journal else {}

    async def stage(self, stage: Stage, problems: list[Problem], labelled: list[Problem]) -> tuple[list[Row], Cost]:
        """Rows in the order of the problems, and what preparing cost."""
        plan, found, tally = self.plan, dict[str, Row](), _Tally(stage, len(problems))
        if plan.system.prepare is not None:
            self.watch(Progress("prepare", 0, 1))
        artifact = plan.artifact or await self.engine.prepare(plan.system, problems, labelled, plan.options)
        waiting = [p for p in problems if f"{stage}/{p.id}" not in self.known]
        for problem in problems:
            if (past := self.known.get(f"{stage}/{problem.id}")) is not None:
                self._take(problem, decode(Answer, past), found, tally)
        async for solved in self.engine.solve_all(waiting, plan.system, plan.options, artifact):
            if self.journal:
                key = f"{stage}/{solved.problem.id}"
                self.journal.result(key, encode_json(solved.answer), solved.trace.to_json())
            elif stage == "solve":
                self.traces[solved.trace.id] = solved.trace
            self._take(solved.problem, solved.answer, found, tally)
        return [found[p.id] for p in problems], _cost(artifact)

    def _take(self, problem: Problem, answer: Answer, found: dict[str, Row], tally: _Tally) -> None:
        row = row_of(problem, answer)
        found[problem.id] = row
        self.watch(tally.add(row))


class _Tally:
    def __init__(self, stage: Stage, total: int) -> None:
        self.now = Progress(stage, 0, total)
        self.graded = self.right = 0

    def add(self, row: Row) -> Progress:
        self.graded += row.correct is not None
        self.right += row.outcome == "answered" and (row.correct or 0) >= 0.5
        now = self.now
        self.now = replace(
            now, done=now.done + 1, answered=now.answered + (row.outcome == "answered"),
            abstained=now.abstained + (row.outcome == "abstained"), failed=now.failed + (row.outcome == "failed"),
            correct=self.right / self.graded if self.graded else None, tokens=now.tokens + row.cost.tokens,
        )  # fmt: skip
        return self.now


def _cost(artifact: Artifact | None) -> Cost:
    return artifact.cost if artifact else Cost()


def write(run: Run, out: Path) -> None:
    """Write results.jsonl, summary.json and calibration.json, each whole or not at all."""
    lines = (json.dumps(plain(row), ensure_ascii=False) for row in run.rows)
    _write(out / "results.jsonl", lines)
    if run.promise:
        _write(out / "calibration.json", [json.dumps(run.promise.data(), indent=1)])
    _write(out / "summary.json", [json.dumps(summary_data(run), indent=1)])


def summary_data(run: Run) -> dict[str, object]:
    """The run's identity, measures, promise and costs as plain data."""
    return {
        "strategy": run.plan.system.slug,
        "signal": run.plan.signal,
        "settings": run.plan.settings(),
        "model": {role: model.version for role, model in run.plan.roster.items()},
        "spec": run.plan.roster["main"].spec,
        "data": run.plan.data,
        "seed": run.plan.seed,
        **plain(run.summary),
        "prepare_cost": plain(run.prepared),
        "calibration_cost": plain(sum((row.cost for row in run.calibration), Cost())),
        "promise": run.promise.data() if run.promise else None,
        "in_flight_when_resumed": run.in_flight,
    }


def _write(path: Path, lines: Iterable[str]) -> None:
    part = path.with_suffix(path.suffix + ".part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        why = error.strerror or error
        raise JournalError(f"{path}: cannot be written: {why}; free some space and run with --resume") from None


__all__ = ["Progress", "Run", "solve", "summary_data", "withhold", "write"]
