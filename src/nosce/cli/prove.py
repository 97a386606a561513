"""`nosce prove`: one published claim, re-tested."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from rich.table import Table

    from nosce.core.registry import System
    from nosce.evidence.proofs import Proofs
    from nosce.evidence.prove import Record

EXAMPLES = examples(
    "nosce prove dsc",
    "nosce prove S327 --model openai:llama-3@http://127.0.0.1:8080/v1 --data labelled.jsonl",
    "nosce prove p-true --json",
    "nosce prove --all --ledger evidence --out runs/claims",
    "nosce prove --all --ledger evidence --out runs/claims --resume",
)


def prove(
    system: Annotated[
        str | None, typer.Argument(help="Slug or catalogue id; one part of a system: S296/p-ik.", metavar="ID", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every registered claim, one after the other.")] = False,
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
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Keep what was asked and proved here.")] = None,
    resume: flags.Resume = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Re-test the claim of a system against the baseline it names, as it was frozen beforehand, and keep the record."""
    from nosce.cli.kept import kept
    from nosce.cli.speak import note
    from nosce.core.errors import InputError
    from nosce.evidence.ledger import FOLDER
    from nosce.evidence.proofs import Proofs, identity
    from nosce.models.load import load_probed_roster
    from nosce.report.text import twice
    from nosce.stores.journal import Journal
    from nosce.tasks.load import load_problems

    chosen = _chosen(system, all_)
    problems, labelled = load_problems(data), load_problems(calibrate)
    if bare := [problem.id for problem in problems if not problem.graded]:
        raise InputError(f"{data}: {len(bare)} questions have no answer (first: {bare[0]}); a claim is proved by right and wrong")
    roster = asyncio.run(load_probed_roster(model))
    words = identity(roster, problems, labelled)
    name = "prove-all" if all_ else f"prove-{chosen[0].name}"
    with kept(out, name, words) as folder, Journal.open(folder, words, resume=resume) as journal:
        proved = _carried_out(Proofs(roster, problems, labelled, journal), chosen, ledger or FOLDER)
        note("\n".join(twice(len(journal.in_flight()))))
    _say_proved(proved, chosen, all_, as_json)


def _say_proved(proved: list[tuple[Record, Path]], chosen: list[System], all_: bool, as_json: bool) -> None:
    """Raises InputError where the one claim cannot be proved here."""
    from nosce.cli.speak import say, say_json
    from nosce.core.errors import InputError
    from nosce.evidence.rows import plain

    if as_json:
        rows = [{**plain(record), "kept": str(kept)} for record, kept in proved]
        say_json({"records": rows} if all_ else rows[0])
    elif all_:
        say(_ledger_table([record for record, _ in proved]))
    record, kept = proved[0]
    if not all_ and record.reason:
        raise InputError(f"{chosen[0].name} cannot be proved here ({record.outcome}, kept in {kept}): {record.reason}")
    if not all_ and not as_json:
        _say(record, chosen[0])
        say(f"kept in {kept}")


def _chosen(name: str | None, all_: bool) -> list[System]:
    from nosce.core.errors import InputError
    from nosce.core.registry import registry
    from nosce.evidence.prove import frozen_claim

    if all_ == (name is not None):
        raise InputError("say what to prove: either one ID or --all")
    if name is None:
        return [system for system in registry if system.claim is not None]
    found = registry.find(name)
    frozen_claim(found)
    return [found]


def _carried_out(proofs: Proofs, systems: list[System], ledger: Path) -> list[tuple[Record, Path]]:
    """Each record, written to the ledger before the next claim is begun, and where."""
    from nosce.cli.live import Live
    from nosce.cli.speak import note
    from nosce.evidence.ledger import append

    found: list[tuple[Record, Path]] = []
    known = {system.name for system in systems if proofs.known(system)}
    if known:
        note(f"{len(known)} of {len(systems)} claims were proved before the run was stopped and are taken as they are.")
    for system in systems:
        with Live() as live:
            record = asyncio.run(proofs.prove(system, live.step))
        found.append((record, append(record, ledger, once=system.name in known)))
    return found


def _ledger_table(records: list[Record]) -> Table:
    from nosce.report.terminal import accented, table

    def row(r: Record) -> tuple[str, ...]:
        name = r.system if r.part == "main" else f"{r.system}/{r.part}"
        effect = "–" if r.reason else f"{r.effect:+.3f} [{r.interval[0]:+.3f}, {r.interval[1]:+.3f}]"
        return r.id, name, r.endpoint, effect, accented(r.outcome), r.reason

    heads = ("id", "system", "endpoint", "effect", "outcome", "")
    return table(heads, [row(r) for r in records], left=(0, 1, 2, 4, 5), title="claims re-tested")


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
