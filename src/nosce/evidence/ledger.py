"""Every record that `nosce prove` wrote, kept: one JSONL file per system and part, newest line last."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError, JournalError
from nosce.evidence.prove import Record
from nosce.evidence.rows import plain

FOLDER = Path("evidence")
"""Where records of the user's own runs go by default, in the working directory."""


def append(record: Record, folder: Path = FOLDER) -> Path:
    """Add a record to the ledger. Raises JournalError when it cannot be written."""
    path = folder / f"{record.id}-{record.part}.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(plain(record)), ensure_ascii=False) + "\n")
    except OSError as error:
        raise JournalError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def records(folder: Path | None = None) -> Iterator[dict[str, Any]]:
    """The shipped records, then those of a folder (default: `evidence/` where it exists), oldest first within a system."""
    shipped = Path(str(files("nosce.evidence") / "ledger"))
    for place in (shipped, folder or FOLDER):
        for path in sorted(place.glob("*.jsonl")) if place.is_dir() else []:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise InputError(f"{path}: line {number} is no record: {error}") from None


def latest(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The newest record of each system and part, by `ID/part`."""
    return {f"{r['id']}/{r['part']}": r for r in records(folder)}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
