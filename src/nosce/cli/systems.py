"""`nosce systems`: the catalogue, what of it exists, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.core.registry import CatalogueRow, System

EXAMPLES = examples(
    "nosce systems",
    "nosce systems --family control --registered",
    "nosce systems dsc",
    "nosce systems --json | jq '.[] | select(.registered)'",
)


def systems(
    system: Annotated[str | None, typer.Argument(help="Slug or id of one system, to see all about it.", metavar="[ID]")] = None,
    family: Annotated[str | None, typer.Option("--family", metavar="NAME", help="Only this family.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="NAME", help="Only this kind.")] = None,
    registered: Annotated[bool, typer.Option("--registered", help="Only what can be run.")] = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """List the catalogue's systems and the baselines: which exist here, and what their claims' re-tests found."""
    from nosce.cli.speak import say, say_json
    from nosce.core.errors import unknown

    rows = listing()
    if system is not None:
        _say_one(system, rows, as_json)
        return
    for name, wanted, column in (("family", family, "family"), ("kind", kind, "kind")):
        if wanted is not None and wanted not in (known := {row[column] for row in rows}):
            raise unknown(name, wanted, known)
    chosen = [
        row for row in rows
        if family in (None, row["family"]) and kind in (None, row["kind"]) and (row["registered"] or not registered)
    ]  # fmt: skip
    if as_json:
        say_json(chosen)
        return
    say(_table(chosen), f"{len(chosen)} shown, {sum(row['registered'] for row in chosen)} of them registered")


def listing() -> list[dict[str, Any]]:
    """Baselines first, then every row of the catalogue: id, slug, name, family, kind, title, registered, parts, evidence.

    `evidence` is the newest verdict of the main part (else of the first part that has one), None without a record.
    """
    from nosce.core.registry import catalogue, registry
    from nosce.evidence.ledger import latest

    parts: dict[str, list[System]] = {}
    for system in registry:
        parts.setdefault(system.id, []).append(system)
    found = latest()
    records: dict[str, dict[str, Any]] = {}
    for key, record in found.items():
        records.setdefault(key.partition("/")[0], {})[key.partition("/")[2]] = record
    baselines = [_baseline(own[0]) for own in parts.values() if own[0].baseline]
    return baselines + [_row(row, parts.get(row.id, []), records.get(row.id, {})) for row in catalogue().values()]


def _baseline(system: System) -> dict[str, Any]:
    return {
        "id": system.id, "slug": system.slug, "name": system.slug, "family": system.family, "kind": system.kind, "title": "",
        "mechanism": system.summary, "registered": True, "parts": [_part(system)], "evidence": None, "outcomes": {},
    }  # fmt: skip


def _row(row: CatalogueRow, parts: list[System], records: dict[str, Any]) -> dict[str, Any]:
    outcomes = {part: record.get("outcome") for part, record in records.items()}
    return {
        "id": row.id, "slug": row.slug, "name": row.name, "family": row.family, "kind": row.kind, "title": row.title,
        "mechanism": row.mechanism, "registered": bool(parts), "parts": [_part(part) for part in parts],
        "evidence": outcomes.get("main", next(iter(outcomes.values()), None)), "outcomes": outcomes,
    }  # fmt: skip


def _part(system: System) -> dict[str, Any]:
    return {
        "part": system.part, "kind": system.kind, "does": system.summary, "needs": sorted(system.needs),
        "acts": sorted(system.acts),
        "claim": system.claim.statement if system.claim else None,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> Any:
    from nosce.report.terminal import accented, table

    lines = [
        (accented(row["id"], row["registered"]), row["slug"], row["family"], row["kind"], "yes" if row["registered"] else "",
         row["evidence"] or "", row["mechanism"])
        for row in rows
    ]  # fmt: skip
    return table(("id", "slug", "family", "kind", "here", "evidence", "what it does"), lines, left=range(7), cut=(6,))


def _say_one(name: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.core.errors import unknown
    from nosce.report.terminal import table

    wanted = name.lower().partition("/")[0]
    row = next((row for row in rows if wanted in (row["id"].lower(), row["slug"])), None)
    if row is None:
        raise unknown("system", name, [key for row in rows for key in (row["id"], row["slug"])])
    if as_json:
        say_json(row)
        return
    lines = [(key, row[key]) for key in ("title", "family", "kind", "mechanism") if row[key]]
    lines.append(("registered", "yes" if row["registered"] else "not yet"))
    for part in row["parts"]:
        lines.append((f"part {part['part']}", f"{part['kind']}: {part['does']}"))
        lines.append(("  needs", ", ".join(part["needs"] + [f"act {act}" for act in part["acts"]])))
        if part["claim"]:
            lines.append(("  claim", part["claim"]))
            lines.append(("  evidence", row["outcomes"].get(part["part"]) or f"none yet; nosce prove {row['slug']}"))
    drawn = table(("", ""), lines, left=(0, 1), title=f"{row['name']} ({row['id']}, {row['slug']})")
    say(drawn)
