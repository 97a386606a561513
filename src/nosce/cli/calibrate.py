"""`nosce calibrate`: make a confidence true, and a promise, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.control.label_plan import LabelPlan
    from nosce.evidence.calibration import About, Calibrated
    from nosce.evidence.labels import Labelled
    from nosce.evidence.promise import Limits

EXAMPLES = examples(
    "nosce calibrate labelled.jsonl --risk 0.1 --out calibrator.json",
    "nosce calibrate labelled.jsonl --risk 0.05 --risk 0.2 --method isotonic --strategy adaptive-consistency",
    "nosce calibrate labelled.jsonl --risk 0.2 --most-abstained 0.5 --most-tokens 900",
    "nosce calibrate --run runs/first --risk 0.1",
    "nosce calibrate --records scores.csv --column confidence=p --model gpt-x --strategy mine",
    "nosce calibrate --plan --risk 0.05 --expect 0.02 --coverage 0.7",
)


def calibrate(
    data: Annotated[
        str | None, typer.Argument(help="Labelled questions: a file, family:NAME?n=100.", metavar="LABELLED", show_default=False)
    ] = None,
    run: Annotated[Path | None, typer.Option("--run", metavar="DIR", help="Use the graded rows of a finished run.")] = None,
    records: Annotated[
        Path | None, typer.Option("--records", metavar="FILE", help="Use rows from anywhere with a confidence and a grade.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="SPEC", help="As for `nosce solve`.", show_default="socrates")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", "-s", metavar="NAME", help="Its confidence.", show_default="self-consistency")
    ] = None,
    signal: flags.Signal = "confidence",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the strategy. May be repeated.")
    ] = None,
    budget: flags.Budget = None,
    temperature: flags.Temperature = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 0,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="auto, temperature, platt, beta, histogram, isotonic, by-group.")
    ] = "auto",
    risk: Annotated[
        list[float] | None, typer.Option("--risk", metavar="SHARE", help="At most this share wrong of the answered. Repeat.")
    ] = None,
    delta: Annotated[float, typer.Option("--delta", metavar="SHARE", help="A promise may fail with this probability.")] = 0.05,
    most_abstained: Annotated[
        float | None, typer.Option("--most-abstained", metavar="SHARE", help="Promise as well: at most this share unanswered.")
    ] = None,
    most_tokens: Annotated[
        float | None, typer.Option("--most-tokens", metavar="N", help="Promise as well: at most N tokens per answer given.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where the calibrator is kept.")
    ] = Path("calibrator.json"),
    runs: Annotated[
        Path | None, typer.Option("--run-dir", metavar="DIR", help="Where the answers are journalled.", show_default="runs/…")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with answering that was stopped; nothing is paid twice.")] = False,
    column: flags.Column = None,
    scale: Annotated[str | None, typer.Option("--scale", metavar="1|100|log", help="--records: what confidence is.")] = None,
    kind: flags.Kind = None,
    limit: flags.Limit = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say how many labels a promise needs, and end.")] = False,
    expect: Annotated[
        list[float] | None, typer.Option("--expect", metavar="SHARE", help="--plan: the share wrong that you expect. Repeat.")
    ] = None,
    coverage: Annotated[float, typer.Option("--coverage", metavar="SHARE", help="--plan: the share answered you expect.")] = 1.0,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Fit a confidence to the truth on labelled questions, test thresholds on others, and keep both with what they promise."""
    from nosce.core.errors import InputError
    from nosce.evidence.calibration import METHODS, Wish, calibrate_rows
    from nosce.evidence.promise import Limits
    from nosce.report.files import write_whole

    risks = tuple(dict.fromkeys(risk or ()))
    for wanted in (*risks, None):
        flags.shares(risk=wanted, delta=delta, most_abstained=most_abstained, coverage=None if coverage == 1 else coverage)
    if plan:
        _planned(risks, delta, tuple(expect or ()), coverage, as_json)
        return
    if sum(source is not None for source in (data, run, records)) != 1:
        raise InputError("say what to calibrate on: LABELLED questions, --run DIR or --records FILE (one of them)")
    if method not in METHODS:
        from nosce.core.errors import unknown

        raise unknown("method", method, METHODS)
    limits = Limits(most_abstained, most_tokens)
    if data is not None:
        rows, about, limits = _answered(
            data, model or "socrates", strategy or "self-consistency", signal, set_, budget, temperature, seed, column, kind, limit,
            limits, runs, resume,
        )  # fmt: skip
    elif run is not None:
        from nosce.evidence.recorded import recorded_run

        rows, about = recorded_run(run)
    else:
        rows, about = _from_anywhere(records or Path(), model, strategy, signal, column, scale)
    made = calibrate_rows(rows, about, Wish(method, risks, delta, limits))
    _say(made, write_whole(out, made.calibration.to_json()), as_json)


def _answered(
    data: str, model: str, strategy: str, signal: str, set_: list[str] | None, budget: str | None, temperature: float | None,
    seed: int, column: list[str] | None, kind: str | None, limit: int | None, limits: Limits, runs: Path | None, resume: bool,
) -> tuple[Labelled, About, Limits]:  # fmt: skip
    """Run the strategy on the labelled questions; its journal is kept, so that nothing is paid twice."""
    from dataclasses import replace

    from nosce.cli.solve import carried_out, placed
    from nosce.core.errors import InputError
    from nosce.evidence.labels import Labelled
    from nosce.evidence.plan import plan

    made = plan(
        data, model=model, strategy=strategy, options=flags.options(set_), budget=budget, temperature=temperature, seed=seed,
        columns=flags.pairs(column, "--column"), kind=kind, limit=limit, signal=signal, out=runs,
    )  # fmt: skip
    unlabelled = [p.id for p in made.problems if not p.graded]
    if unlabelled:
        raise InputError(f"{data}: {len(unlabelled)} rows have no answer (first: {unlabelled[0]}); calibration needs labels")
    if made.system.prepare is not None and made.system.prepares == "labelled":
        raise InputError(f"{made.system.name} is itself fitted on labelled questions; `nosce solve --calibrate` does both at once")
    most = made.budget.tokens
    done = carried_out(placed(made), resume)
    return Labelled.of(done.rows), made.about(), limits if most is None else replace(limits, most_tokens=float(most))


def _from_anywhere(
    path: Path, model: str | None, strategy: str | None, signal: str, column: list[str] | None, scale: str | None
) -> tuple[Labelled, About]:
    import numpy as np

    from nosce.core.errors import InputError
    from nosce.evidence.calibration import About
    from nosce.evidence.labels import Labelled, question_key
    from nosce.tasks.scored import read_scored

    if model is None or strategy is None:
        raise InputError("--records does not say whose confidence it holds: add --model NAME and --strategy NAME")
    found = read_scored(path, columns=flags.pairs(column, "--column"), scale=scale)
    at = np.flatnonzero(found.known & (found.columns.get("kept", np.ones(found.n)) == 1))
    rows = Labelled(
        found.columns["confidence"][at], found.columns["correct"][at] == 1, tuple(found.family[i] for i in at),
        tuple(question_key(found.question[i]) for i in at), found.columns.get("effort", np.zeros(found.n))[at],
    )  # fmt: skip
    return rows, About(_version_of(model), strategy, signal)


def _version_of(model: str) -> str:
    """The version of a model that can be loaded here, so that a run with it will find itself; else the name as it is."""
    from nosce.core.errors import NosceError
    from nosce.models.load import load

    try:
        return load(model).version
    except NosceError:
        return model


def _planned(risks: tuple[float, ...], delta: float, expected: tuple[float, ...], coverage: float, as_json: bool) -> None:
    from dataclasses import asdict

    from nosce.cli.speak import say, say_json
    from nosce.control.label_plan import plan_promise
    from nosce.core.errors import InputError

    if not risks:
        raise InputError("--plan needs the risk to promise: add --risk 0.05")
    plans = [plan_promise(risk, delta, coverage=coverage, expected=expected) for risk in risks]
    if as_json:
        told = [{**asdict(made), "least": made.least} for made in plans]
        say_json(told[0] if len(told) == 1 else told)
        return
    for made in plans:
        say(*_plan_tables(made))


def _plan_tables(made: LabelPlan) -> list[object]:
    from nosce.report.terminal import accented, table
    from nosce.report.text import count, percent

    head = (
        f"At most {percent(made.alpha, 0)} wrong among the answered, with probability {percent(1 - made.delta, 0)}: at least "
        f"{made.least} tested labels must be answered, all of them right."
    )
    carried = [(count(errors), count(labels)) for errors, labels in enumerate(made.allowed)]
    useful = [
        (percent(u.risk, 2), "no number would do" if u.tested is None else count(u.tested),
         "" if u.labels is None else accented(count(u.labels)))
        for u in made.useful
    ]  # fmt: skip
    answered = "all answered" if made.coverage == 1 else f"{percent(made.coverage, 0)} answered"
    return [
        head, table(("wrong among them", "answered labels needed"), carried, left=()),
        f"To be promised with probability 80%, when so many of the answers are wrong ({answered}; two fifths of the labels fit):",
        table(("wrong", "answered and tested", "labels to collect"), useful, left=()),
    ]  # fmt: skip


def _say(made: Calibrated, kept: Path, as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.report.calibration_table import calibration_lines, calibration_table

    if as_json:
        say_json({**made.data(), "written": str(kept)})
        return
    say(calibration_table(made), *calibration_lines(made), f"kept in {kept}")
