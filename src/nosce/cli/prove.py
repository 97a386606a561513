"""`nosce prove`: one published claim, re-tested."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.core.registry import System
    from nosce.evidence.prove import Record

EXAMPLES = examples(
    "nosce prove dsc",
    "nosce prove S327 --model openai:llama-3@http://127.0.0.1:8080/v1 --data labelled.jsonl",
    "nosce prove p-true --json",
)


def prove(
    system: Annotated[str, typer.Argument(help="Slug or catalogue id; one part of a system: S296/p-ik.", metavar="ID")],
    model: flags.Model = "socrates",
    data: Annotated[
        str, typer.Option("--data", metavar="DATA", help="Graded questions to prove it on.")
    ] = "family:all?n=1200",
    calibrate: Annotated[
        str, typer.Option("--calibrate", metavar="DATA", help="Labelled questions for what is fitted first.")
    ] = "family:all?n=300&split=dev",
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="DIR", help="Where the record is kept.", show_default="evidence")
    ] = None,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Re-test the claim of a system against the baseline it names, as it was frozen beforehand, and keep the record."""
    from nosce.cli.speak import say, say_json
    from nosce.core.errors import InputError
    from nosce.core.registry import registry
    from nosce.evidence.ledger import FOLDER, append
    from nosce.evidence.prove import frozen_claim
    from nosce.evidence.rows import plain

    found = registry.find(system)
    frozen_claim(found)
    record = _carried_out(found, model, data, calibrate)
    if record.reason:
        raise InputError(f"{found.slug} cannot be proved here: {record.reason}")
    kept = append(record, ledger or FOLDER)
    if as_json:
        say_json({**plain(record), "kept": str(kept)})
        return
    _say(record, found)
    say(f"kept in {kept}")


def _carried_out(system: System, model: str, data: str, calibrate: str) -> Record:
    from nosce.cli.live import Live
    from nosce.evidence.prove import prove as prove_claim
    from nosce.models.load import load_probed_roster
    from nosce.tasks.load import load_problems

    problems, labelled = load_problems(data), load_problems(calibrate)

    async def carried_out(live: Live) -> Record:
        return await prove_claim(system, await load_probed_roster(model), problems, labelled=labelled, watch=live.step)

    with Live() as live:
        return asyncio.run(carried_out(live))


def _say(record: Record, system: System) -> None:
    from nosce.cli.speak import say
    from nosce.report.terminal import accented, table

    claim = system.claim
    low, high = record.interval
    rows = [
        ("claim", claim.statement if claim else ""),
        ("outcome", accented(record.outcome)),
        ("effect", f"{record.effect:+.4f} [{low:+.4f}, {high:+.4f}] on {record.endpoint}, margin {claim.margin if claim else 0:g}"),
        (record.system, f"{record.system_value:.4f} at {record.system_cost:,.0f} tokens"),
        (claim.baseline if claim else "baseline", f"{record.baseline_value:.4f} at {record.baseline_cost:,.0f} tokens"),
        ("null controller", "–" if record.null_value is None else f"{record.null_value:.4f}"),
        ("on", f"{record.n} problems, seeds {', '.join(map(str, record.seeds))}, {record.scope} ({record.model})"),
        ("follows", record.fidelity + (", the act was taught to this model" if record.taught else "")),
        ("claim hash", record.claim_hash),
    ]
    if record.analogue_of:
        rows.append(("analogue of", record.analogue_of))
    drawn = table(("", ""), rows, left=(0, 1), title=f"{system.title or system.slug} ({system.id})")
    say(drawn)
