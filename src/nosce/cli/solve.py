"""`nosce solve`: answer the questions of a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.evidence.plan import Plan
    from nosce.evidence.run import Run

EXAMPLES = examples(
    "nosce solve questions.jsonl",
    "nosce solve questions.csv --column question=prompt --strategy adaptive-consistency --budget tokens=2000",
    "nosce solve questions.jsonl --risk 0.2 --calibrate labelled.jsonl --out runs/first",
    "nosce solve questions.jsonl --calibrator calibrator.json",
    "nosce solve questions.jsonl --model openai:llama-3@http://127.0.0.1:8080/v1 --dry-run",
    "nosce solve family:all?n=200 --set k=8 --json",
)


def solve(
    data: Annotated[str, typer.Argument(help="JSONL, CSV or TSV; family:NAME?n=100; reasoning-gym:NAME.", metavar="DATA")],
    model: flags.Model = "socrates",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", metavar="NAME", help="How to think; `nosce systems` lists them.")
    ] = "self-consistency",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the strategy. May be repeated.")
    ] = None,
    budget: flags.Budget = None,
    run_budget: Annotated[str | None, typer.Option("--run-budget", metavar="BUDGET", help="The same for the whole run.")] = None,
    risk: Annotated[
        float | None, typer.Option("--risk", metavar="SHARE", help="At most this share of the answered wrong; abstain on the rest.")
    ] = None,
    calibrate: Annotated[
        str | None, typer.Option("--calibrate", metavar="DATA", help="Labelled questions to calibrate the confidence on.")
    ] = None,
    calibrator: Annotated[
        Path | None, typer.Option("--calibrator", metavar="FILE", help="What `nosce calibrate` made, in place of --calibrate.")
    ] = None,
    signal: flags.Signal = "confidence",
    delta: Annotated[float, typer.Option("--delta", metavar="SHARE", help="The promise may fail with this probability.")] = 0.05,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Where the run is kept.", show_default="runs/…, by what is run"),
    ] = None,
    resume: flags.Resume = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the run may cost at most, and end.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 0,
    temperature: flags.Temperature = None,
    concurrency: Annotated[int | None, typer.Option("--concurrency", metavar="N", help="Problems in flight at once.")] = None,
    column: flags.Column = None,
    kind: flags.Kind = None,
    limit: flags.Limit = None,
    charts: flags.Charts = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html (extra nosce\\[report]).")] = True,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Answer questions, each with a confidence; abstain where a promised risk demands it; say what it cost."""
    from nosce.cli.speak import need_report
    from nosce.core.errors import InputError
    from nosce.evidence.plan import plan

    if dry_run and resume:
        raise InputError("--dry-run and --resume contradict each other; leave one out")
    if charts:
        need_report("--charts", charts)
    made = plan(
        data, model=model, strategy=strategy, options=flags.options(set_), budget=budget, run_budget=run_budget, risk=risk,
        calibrate=calibrate, delta=delta, out=out, seed=seed, columns=flags.pairs(column, "--column"), kind=kind, limit=limit,
        temperature=temperature, concurrency=concurrency, signal=signal, calibrator=calibrator,
    )  # fmt: skip
    if dry_run:
        _say_cost(made, as_json)
        return
    run = carried_out(placed(made), resume)
    written = _reported(run, charts, report)
    _say_result(run, written, as_json)
    if run.summary.failed:
        raise typer.Exit(1)


def placed(made: Plan) -> Plan:
    """The plan with a folder: the given one, else one that the same command finds again."""
    from dataclasses import replace

    from nosce.cli.kept import plain_name
    from nosce.core.streams import fingerprint

    if made.out:
        return made
    promised = [made.promise.calibrator.data_hash] if made.promise else []
    stem = plain_name(Path(made.data.partition("?")[0]).stem)[:40]
    promised += [str(made.artifact.data)] if made.artifact else []
    which = fingerprint(made.identity(), made.risk, *promised, size=4)
    return replace(made, out=Path("runs") / f"{stem}-{made.system.slug}-{which}")


def carried_out(made: Plan, resume: bool) -> Run:
    from nosce.cli.kept import told_how_to_resume
    from nosce.cli.live import Live
    from nosce.evidence.run import solve as solve_all

    with told_how_to_resume(made.out), Live() as live:
        return asyncio.run(solve_all(made, resume=resume, on_event=live.progress))


def _reported(run: Run, charts: Path | None, report: bool) -> list[Path]:
    from nosce.cli.speak import can_report, note

    if not report and not charts:
        return []
    if not can_report():
        note("No report: it needs an extra, pip install 'nosce[report]'.")
        return []
    from nosce.report.charts import save
    from nosce.report.html import run_charts, write

    drawn = run_charts(run)
    written = [write(run, run.out / "report.html", drawn)] if report and run.out else []
    return written + (save(drawn, charts) if charts else [])


def _say_result(run: Run, written: list[Path], as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.evidence.run import summary_data
    from nosce.report.story import costs, promise
    from nosce.report.terminal import run_tables
    from nosce.report.text import twice

    if as_json:
        say_json({**summary_data(run), "out": str(run.out), "written": [str(path) for path in written]})
        return
    say(*run_tables(run), promise(run), "")
    say(*(f"{name}: {value}" for name, value in [(f"cost, {part}", price) for part, price in costs(run)]))
    say(*twice(run.in_flight))
    say(f"kept in {run.out}" + "".join(f"\n{path}" for path in written))


def _say_cost(made: Plan, as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.evidence.plan import estimate
    from nosce.evidence.rows import plain
    from nosce.report.terminal import table
    from nosce.report.text import count

    cost = estimate(made)
    if as_json:
        say_json(plain(cost))
        return
    lines: list[tuple[Any, ...]] = [
        ("questions, labelled ones included", count(cost.problems)),
        ("calls, at most", count(cost.calls)),
        ("prompt tokens, at most", count(cost.prompt_tokens)),
        ("completion tokens, at most", count(cost.completion_tokens)),
        ("money, at most", "no price known" if cost.money is None else f"${cost.money:.2f}"),
    ]
    say(table(("", ""), lines), "Nothing was sampled or written. Most runs cost less: replies are shorter than allowed.")
