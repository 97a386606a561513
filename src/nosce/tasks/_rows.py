"""Rows of a JSONL, CSV or TSV file, each with the line it stands on."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError, NosceError


@dataclass(frozen=True, slots=True)
class Row:
    """One record and where it stands."""

    source: Path
    line: int
    values: dict[str, Any]

    def error(self, what: str) -> InputError:
        """An error that names file and line."""
        return InputError(f"{self.source} line {self.line}: {what}")

    def checked(self, check: Callable[[], object]) -> None:
        """Run a check and name file and line when it fails."""
        try:
            check()
        except NosceError as error:
            raise self.error(str(error)) from None


def read_rows(source: Path, limit: int | None = None) -> list[Row]:
    """All rows, in order. `.csv` and `.tsv` have a head line; every other file is read as JSONL.

    Raises InputError: no such file, not UTF-8, wrong JSON (line, column and reason), a cell too many, no rows.
    """
    text = _text(source)
    suffix = source.suffix.lower()
    read = _table(source, text, "\t" if suffix == ".tsv" else ",") if suffix in (".csv", ".tsv") else _lines(source, text)
    rows = [row for row, _ in zip(read, range(limit or len(text) + 1), strict=False)]
    if not rows:
        raise InputError(f"{source} holds no questions; expected one JSON object a line, or a CSV file with a head line")
    return rows


def _text(source: Path) -> str:
    try:
        return source.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{source}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror or error}") from None


def _lines(source: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{source} line {number}: not JSON: {error.msg} (column {error.colno})") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source} line {number}: not JSON that can be read: {error}") from None
        if not isinstance(values, dict):
            hint = "; a file with one JSON array must be split into lines" if isinstance(values, list) else ""
            raise InputError(f'{source} line {number}: expected a JSON object such as {{"question": ...}}{hint}')
        yield Row(source, number, values)


def _table(source: Path, text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            line = reader.line_num
            if None in values:
                raise InputError(f"{source} line {line}: more cells than the head line has columns; quote cells with commas")
            yield Row(source, line, dict(values))
    except csv.Error as error:
        raise InputError(f"{source} line {max(line, reader.line_num)}: not a table: {error}") from None
