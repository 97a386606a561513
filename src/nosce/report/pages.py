"""The documentation page of each family, from the registry and the ledger: `python -m nosce.report.pages docs/systems`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nosce.core.registry import CatalogueRow, System, catalogue, registry
from nosce.evidence.ledger import latest

BASELINES = "baseline"


def write_pages(folder: Path, ledger: Path | None = None) -> list[Path]:
    """Write one Markdown page a family, and an index; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    records = latest(ledger or folder / "no-records-of-ones-own")
    pages = {f"{family}.md": family_page(family, records) for family in families()}
    pages["index.md"] = index_page(records)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def families() -> list[str]:
    """Families with at least one registered system, baselines first."""
    return sorted({system.family for system in registry}, key=lambda family: (family != BASELINES, family))


def index_page(records: Mapping[str, Mapping[str, Any]]) -> str:
    """How many systems each family has, and what was seen of their claims."""
    rows = catalogue().values()
    head = "| family | in the catalogue | registered | effect seen | not seen | unclear |"
    lines = ["# Systems", "", head, "|---|---|---|---|---|---|"]
    for family in families():
        systems = [s for s in registry if s.family == family]
        seen = [records[key]["outcome"] for s in systems if (key := f"{s.id}/{s.part}") in records]
        counts = " | ".join(str(seen.count(outcome)) for outcome in ("effect seen", "not seen", "unclear"))
        known = sum(row.family == family for row in rows) or "–"
        lines.append(f"| [{family}]({family}.md) | {known} | {len({s.id for s in systems})} | {counts} |")
    return "\n".join(lines) + "\n"


def family_page(family: str, records: Mapping[str, Mapping[str, Any]]) -> str:
    """Every registered system of a family with its rule, its options and its evidence."""
    parts = [f"# {family.capitalize()}", ""]
    for system in registry:
        if system.family == family:
            parts += _section(system, catalogue().get(system.id), records.get(f"{system.id}/{system.part}"))
    waiting = sorted(row.id for row in catalogue().values() if row.family == family) if family != BASELINES else []
    there = {system.id for system in registry}
    if rest := [f"`{catalogue()[id].slug}`" for id in waiting if id not in there]:
        parts += ["## Not here yet", "", ", ".join(rest), ""]
    return "\n".join(parts)


def _section(system: System, row: CatalogueRow | None, record: Mapping[str, Any] | None) -> list[str]:
    lines = [f"## {system.name}", ""]
    if row is not None:
        lines += [f"{system.id} · {system.kind} · “{row.title}”", ""]
    lines += [inspect.cleandoc(system.run.__doc__ or ""), "", f"Needs: {', '.join(sorted(system.needs)) or 'nothing'}. "]
    if options := _options(system):
        lines[-1] += f"Options: {options}."
    lines.append("")
    if system.claim is not None:
        lines += [f"**Claim.** {system.claim.statement}", "", f"**Evidence.** {_evidence(record)}", ""]
    return lines


def _options(system: System) -> str:
    parameters = inspect.signature(system.run).parameters.values()
    return ", ".join(f"`{p.name}={_shown(p.default)}`" for p in parameters if p.kind is p.KEYWORD_ONLY)


def _shown(value: Any) -> str:
    """A default as a person would write it: a function by its name."""
    return value.__name__ if inspect.isfunction(value) else repr(value)


def _evidence(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "not run yet."
    if record["effect"] is None:
        return f"{record['outcome']}: {record['reason'] or 'no effect could be measured'} ({record['scope']}, {record['model']})."
    low, high = record["interval"]
    taught = "; the model was taught this act" if record["taught"] else ""
    return (
        f"{record['outcome']} in the {record['scope']} ({record['model']}): {record['endpoint']} {record['system_value']:.3f} "
        f"against {record['baseline_value']:.3f}, effect {record['effect']:+.3f} [{low:+.3f}, {high:+.3f}], "
        f"n = {record['n']} × {len(record['seeds'])} seeds, fidelity: {record['fidelity']}{taught}."
    )


if __name__ == "__main__":
    for page in write_pages(Path(sys.argv[1])):
        print(page)
