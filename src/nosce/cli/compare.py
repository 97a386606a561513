"""`nosce compare`: which systems help this model on these questions?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.core.registry import System
    from nosce.evidence.arms import Bench
    from nosce.evidence.compare import Comparison

EXAMPLES = examples(
    "nosce compare labelled.jsonl --strategies think,adaptive-consistency,dsc",
    "nosce compare labelled.jsonl --all --seeds 3 --out comparison",
    "nosce compare family:arithmetic,lists?n=200 --strategies dsc --model openai:llama-3@http://127.0.0.1:8080/v1 --json",
)


def compare(
    data: Annotated[str, typer.Argument(help="Graded questions: a file, family:NAME?n=100 or reasoning-gym:NAME.", metavar="DATA")],
    strategies: Annotated[
        str | None, typer.Option("--strategies", "-s", metavar="A,B,C", help="The systems to compare, by slug or id.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every registered strategy.")] = False,
    model: flags.Model = "socrates",
    seeds: Annotated[int, typer.Option("--seeds", metavar="K", help="Runs of each system, with seeds 0 … K-1.")] = 1,
    calibrate: Annotated[
        str | None, typer.Option("--calibrate", metavar="DATA", help="Labelled questions for systems that are fitted first.")
    ] = None,
    budget: flags.Budget = None,
    temperature: flags.Temperature = None,
    column: flags.Column = None,
    kind: flags.Kind = None,
    limit: flags.Limit = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Keep the run, and write comparison.json and report.html.")
    ] = None,
    resume: flags.Resume = False,
    charts: flags.Charts = None,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Compare systems on the same questions, seeds and draws, each charged in full, with plain voting as the curve to beat."""
    from nosce.cli.kept import kept
    from nosce.cli.speak import need_report, say, say_json
    from nosce.core.errors import InputError
    from nosce.evidence.compare import identity
    from nosce.report.terminal import comparison_table

    if all_ == bool(strategies and strategies.strip(" ,")):
        raise InputError("say which systems to compare: either --strategies A,B,C or --all")
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: expected at least 1")
    if temperature is not None and not 0 <= temperature <= 10:
        raise InputError(f"--temperature {temperature}: expected 0 (greedy) to 10")
    if charts:
        need_report("--charts", charts)
    chosen = _chosen(strategies)
    bench = _bench(data, model, seeds, calibrate, budget, temperature, flags.pairs(column, "--column"), kind, limit)
    with kept(out, "compare", identity(bench), [system.name for system in chosen]) as folder:
        found = _carried_out(bench, chosen, folder, resume)
        written = _written(found, data, out, charts)
        if as_json:
            say_json({**found.data(), "written": [str(path) for path in written]})
        else:
            say(comparison_table(found), *_remarks(found), *(str(path) for path in written))


def _remarks(found: Comparison) -> list[str]:
    from nosce.report.text import twice

    refused = [f"{row.slug} did not run: {row.refused}" for row in found.rows if row.refused]
    return refused + twice(found.in_flight)


def _chosen(strategies: str | None) -> list[System]:
    from nosce.evidence.compare import comparable

    names = None if strategies is None else [name.strip() for name in strategies.split(",") if name.strip()]
    return comparable(names)


def _bench(
    data: str, model: str, seeds: int, calibrate: str | None, budget: str | None, temperature: float | None,
    columns: dict[str, str], kind: str | None, limit: int | None,
) -> Bench:  # fmt: skip
    from nosce.core.cost import Budget
    from nosce.evidence.arms import Bench
    from nosce.models.load import load_probed_roster
    from nosce.tasks.load import load_problems

    problems = load_problems(data, columns=columns, kind=kind, limit=limit)
    labelled = load_problems(calibrate, columns=columns, kind=kind) if calibrate else []
    allowed = Budget.parse(budget) if budget is not None else None
    return Bench(problems, asyncio.run(load_probed_roster(model)), range(seeds), labelled, allowed, temperature)


def _carried_out(bench: Bench, chosen: list[System], folder: Path, resume: bool) -> Comparison:
    from dataclasses import replace

    from nosce.cli.live import Live
    from nosce.evidence.compare import compare as compare_all

    with Live() as live:
        return asyncio.run(compare_all(replace(bench, watch=live.step), chosen, out=folder, resume=resume))


def _written(found: Comparison, data: str, out: Path | None, charts: Path | None) -> list[Path]:
    import json

    from nosce.cli.speak import can_report, note
    from nosce.report.files import write_whole

    written = []
    if out:
        written.append(write_whole(out / "comparison.json", json.dumps(found.data(), indent=1)))
    if not can_report():
        if out:
            note("No report: it needs an extra, pip install 'nosce[report]'.")
        return written
    if out:
        from nosce.report.html import write_comparison

        written.append(write_comparison(found, out / "report.html", data))
    if charts:
        from nosce.report.charts import save
        from nosce.report.html import comparison_charts

        written += save(comparison_charts(found), charts)
    return written
