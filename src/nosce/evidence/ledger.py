"""Every record that `nosce prove` wrote, kept: one JSONL file per system and part, newest line last."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from errno import ENOSPC
from importlib.resources import files
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError, JournalError
from nosce.evidence.prove import Record
from nosce.evidence.rows import plain

FOLDER = Path("evidence")
"""Where records of the user's own runs go by default, in the working directory."""


def append(record: Record, folder: Path = FOLDER, *, once: bool = False) -> Path:
    """Add a record to the ledger, its whole line or nothing; `once`: unless this very line is there already.

    Raises JournalError when it cannot be written.
    """
    path = folder / f"{record.id}-{record.part}.jsonl"
    line = json.dumps(_finite(plain(record)), ensure_ascii=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not once or not path.exists() or line not in path.read_text(encoding="utf-8").splitlines():
            _add_line(path, line)
    except OSError as error:
        raise JournalError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _add_line(path: Path, line: str) -> None:
    data = f"{line}\n".encode()
    with path.open("ab", buffering=0) as file:
        before = file.tell()
        if file.write(data) != len(data):  # the disk is full
            file.truncate(before)
            raise OSError(ENOSPC, "the disk is full")


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
