"""`nosce profile`: a model in, one page out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.batteries.profile import Plan, Profile

EXAMPLES = examples(
    "nosce profile socrates --out profiles/socrates",
    "nosce profile openai:llama-3@http://127.0.0.1:8080/v1 --battery metacognitive-monitoring-battery --n 60",
    "nosce profile socrates --against socrates-base --out profiles/two",
    "nosce profile socrates --battery S158,S280 --json",
)


def profile(
    model: Annotated[str, typer.Argument(help="socrates, hf:PATH_OR_NAME, openai:MODEL@URL or replay:FILE.", metavar="MODEL")],
    battery: Annotated[
        str, typer.Option("--battery", "-b", metavar="NAME", help="all, or slugs or ids with commas; `nosce systems` lists them.")
    ] = "all",
    against: Annotated[
        str | None, typer.Option("--against", metavar="MODEL2", help="A second model on the same items, with paired differences.")
    ] = None,
    n: Annotated[int, typer.Option("--n", metavar="N", help="Items in each battery.")] = 120,
    seed: Annotated[int, typer.Option("--seed", help="Seed of items and draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Keep rows, journal and the page (HTML, Markdown, JSON) here.")
    ] = None,
    resume: flags.Resume = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it may cost, and end.")] = False,
    budget: flags.Budget = None,
    run_budget: Annotated[
        str | None, typer.Option("--run-budget", metavar="BUDGET", help="The same for each model's whole run.")
    ] = None,
    temperature: flags.Temperature = None,
    concurrency: Annotated[int | None, typer.Option("--concurrency", metavar="N", help="Items in flight at once.")] = None,
    every: Annotated[bool, typer.Option("--every", help="Print every figure, not the first page's alone.")] = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Profile a model: what it knows, whether it knows that, acts on it, mends itself, and bears pressure."""
    from nosce.batteries.profile import Plan, chosen
    from nosce.cli.kept import kept
    from nosce.cli.speak import say, say_json
    from nosce.core.cost import Budget
    from nosce.core.errors import InputError
    from nosce.report.profile_lines import data
    from nosce.report.profile_table import profile_tables
    from nosce.report.text import twice

    for name, value in (("n", n), ("concurrency", concurrency)):
        if value is not None and value < 2 - (name != "n"):
            raise InputError(f"--{name} {value}: expected at least {2 - (name != 'n')}")
    each, whole = (Budget.parse(text) if text else Budget() for text in (budget, run_budget))
    plan = Plan(chosen(battery), n, seed, each, whole, temperature, concurrency)
    specs = [model, *([against] if against else [])]
    if dry_run:
        _say_cost(plan, specs, as_json)
        return
    with kept(out, f"profile-{model}", specs, plan.words(), [system.name for system in plan.batteries]) as folder:
        found = _carried_out(plan, specs, folder, resume)
        written = _written(found, out)
        if as_json:
            say_json({**data(found), "written": [str(path) for path in written]})
        else:
            say(*profile_tables(found, everything=every), *twice(sum(one.in_flight for one in found)), *map(str, written))
    if any(one.failed for one in found):
        raise typer.Exit(1)


def _carried_out(plan: Plan, specs: list[str], out: Path, resume: bool) -> list[Profile]:
    from nosce.batteries.profile import check
    from nosce.batteries.profile import profile as profiled
    from nosce.batteries.sitting import source_of
    from nosce.cli.live import Live
    from nosce.models.load import load_probed_roster

    async def all_of_them(live: Live) -> list[Profile]:
        rosters = [await load_probed_roster(spec) for spec in specs]
        source, found = source_of(*(roster["main"] for roster in rosters)), []
        for roster in rosters:  # before the first of them is asked anything
            check(plan, roster, source)
        for place, roster in enumerate(rosters):
            label = f"{roster['main'].spec} " if len(rosters) > 1 else ""
            found.append(await profiled(
                plan, roster, source=source, out=out / f"model-{place + 1}", resume=resume,
                watch=lambda name, done, total, label=label: live.step(label + name, done, total),  # type: ignore[misc]
            ))  # fmt: skip
        return found

    with Live() as live:
        return asyncio.run(all_of_them(live))


def _say_cost(plan: Plan, specs: list[str], as_json: bool) -> None:
    from nosce.batteries.dry_run import worst_case
    from nosce.batteries.sitting import source_of
    from nosce.cli.speak import say, say_json
    from nosce.core.codec import encode
    from nosce.core.cost import Cost
    from nosce.models.load import load_probed_roster
    from nosce.report.terminal import table
    from nosce.report.text import price

    rosters = [asyncio.run(load_probed_roster(spec)) for spec in specs]
    source = source_of(*(roster["main"] for roster in rosters))
    found = {spec: asyncio.run(worst_case(plan, roster, source)) for spec, roster in zip(specs, rosters, strict=True)}
    if as_json:
        say_json({
            spec: [{"battery": e.battery.slug, "items": e.items, "cost": encode(e.cost), "refused": e.refused} for e in every]
            for spec, every in found.items()
        })  # fmt: skip
        return
    for spec, every in found.items():
        rows = [(e.battery.id, e.battery.slug, str(e.items or "–"), e.refused or price(e.cost)) for e in every]
        whole = price(sum((e.cost for e in every), Cost()))
        say(table(("id", "battery", "items", "every reply as long as allowed"), rows, left=(0, 1, 3), title=f"{spec}: {whole}"))


def _written(found: list[Profile], out: Path | None) -> list[Path]:
    import json

    from nosce.cli.speak import can_report, note
    from nosce.report.files import write_whole
    from nosce.report.profile_lines import data
    from nosce.report.profile_markdown import markdown

    if out is None:
        return []
    whole = {"profile.json": json.dumps(data(found), indent=1, ensure_ascii=False), "profile.md": markdown(found)}
    written = [write_whole(out / name, text) for name, text in whole.items()]
    if not can_report():
        note("No page: it needs an extra, pip install 'nosce[report]'.")
        return written
    from nosce.report.profile_page import write_profile

    return [*written, write_profile(found, out / "profile.html")]
