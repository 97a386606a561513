"""The user's own questions: JSONL, CSV or TSV files to Problems, everything checked before any work.

Fields are `question` (required), `answer`, `choices`, `context`, `id`, `family`, `level`, `tools`; `columns` maps a
field to another column of the file. Without an `equivalence`, each row's kind is guessed: a bundled family's own
checker; `choice` where there are choices; `json` for an object as answer; `number` for a plain number; else `exact`.
A list as answer accepts any of its members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError, unknown
from nosce.core.matching import option_of, parse_number
from nosce.core.problem import Problem
from nosce.core.streams import fingerprint
from nosce.tasks._rows import Row, read_rows
from nosce.tasks.families.matching import EQUIVALENCES
from nosce.tools import tool

FIELDS = ("question", "answer", "choices", "context", "id", "family", "level", "tools")


def read_records(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    equivalence: Equivalence | str | None = None,
    limit: int | None = None,
) -> list[Problem]:
    """The problems of a file, in its order.

    columns: field to column, e.g. `{"question": "prompt"}`; equivalence: the kind for every row (default: guessed);
    limit: read no more than so many rows. An id that is missing becomes a hash of the question's content.
    Raises InputError naming file, line and field: missing or empty file, wrong JSON, unknown column, a row without a
    question, an id used twice, an answer that is none of the choices, an unknown tool.
    """
    source = Path(path)
    if limit is not None and limit < 1:
        raise InputError(f"limit {limit}: expected at least 1")
    rows = read_rows(source, limit)
    names = _columns(source, rows, columns or {})
    if isinstance(equivalence, str):
        equivalence = Equivalence(equivalence)
    if equivalence is not None:
        _ = equivalence.matcher
    seen: dict[str, int] = {}
    return [_problem(row, names, equivalence, seen) for row in rows]


def _columns(source: Path, rows: list[Row], columns: Mapping[str, str]) -> dict[str, str]:
    """Field to column, every named column seen in the file."""
    there = list(dict.fromkeys(name for row in rows for name in row.values))
    for field, column in columns.items():
        if field not in FIELDS:
            raise unknown("field", field, FIELDS)
        if column not in there:
            raise InputError(f"{source}: no column {column!r} for {field}; the columns are: {', '.join(there[:12])}")
    names = {field: columns.get(field, field) for field in FIELDS}
    if names["question"] not in there:
        raise InputError(
            f"{source}: no column 'question'; the columns are: {', '.join(there[:12])}; "
            "name the one that holds the question, e.g. question=prompt"
        )
    return names


def _problem(row: Row, names: dict[str, str], equivalence: Equivalence | None, seen: dict[str, int]) -> Problem:
    values = {field: _present(row.values.get(column)) for field, column in names.items()}
    text = _text(row, "question", values["question"])
    if text is None:
        raise row.error("question is missing or empty")
    context, family = _text(row, "context", values["context"]), _text(row, "family", values["family"]) or ""
    choices = _choices(row, values["choices"])
    kind = equivalence or _guess(family, choices, values["answer"])
    if kind.kind == "choice" and choices and not kind.options:
        kind = Equivalence("choice", {"choices": list(choices)})
    reference = _reference(row, values["answer"], kind, choices)
    return Problem(
        _id(row, values["id"], (text, context, choices), seen), text, choices=choices, context=context,
        tools=_tools(row, values["tools"]), family=family, level=_level(row, values["level"]),
        reference=reference, equivalence=kind,
    )  # fmt: skip


def _present(value: Any) -> Any:
    """The value, or None for an empty cell."""
    return None if isinstance(value, str) and not value.strip() else value


def _text(row: Row, field: str, value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise row.error(f"{field} is {_shape(value)}; expected text")


def _guess(family: str, choices: tuple[str, ...], answer: Any) -> Equivalence:
    if family in EQUIVALENCES:
        return EQUIVALENCES[family]
    if choices:
        return Equivalence("choice", {"choices": list(choices)})
    if isinstance(answer, dict):
        return Equivalence("json")
    members = answer if isinstance(answer, list) and answer else [answer]
    return Equivalence("number" if all(_numeric(member) for member in members) else "exact")


def _numeric(value: Any) -> bool:
    if isinstance(value, str):
        return parse_number(value) is not None and not any(letter.isalpha() for letter in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _reference(row: Row, answer: Any, kind: Equivalence, choices: tuple[str, ...]) -> Any:
    """The reference, checked against the kind."""
    if answer is None:
        return None
    if kind.kind == "choice" and choices and option_of(answer, choices) is None:
        raise row.error(f"answer {answer!r} is none of the {len(choices)} choices, neither their letters nor their texts")
    if kind.kind == "regex":
        row.checked(lambda: kind.grade("", answer, Problem("", "")))
    if kind.kind == "number" and not isinstance(answer, list) and parse_number(str(answer)) is None:
        raise row.error(f"answer {answer!r} is no number, but the equivalence is 'number'")
    return answer


def _choices(row: Row, value: Any) -> tuple[str, ...]:
    """A list; an object letter → text or `{"text": [...]}`; or text `red|blue`."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = _spelled(value)
    if isinstance(value, dict):
        value = value["text"] if isinstance(value.get("text"), list) else list(value.values())
    if isinstance(value, str):
        value = value.split("|")
    if not isinstance(value, list):
        raise row.error(f"choices is {_shape(value)}; expected a list, or text such as red|blue")
    found = tuple(str(choice).strip() for choice in value)
    if len(found) < 2 or not all(found) or len(set(found)) < len(found):
        raise row.error(f"choices {list(found)}: expected two or more different, non-empty options")
    return found


def _spelled(text: str) -> Any:
    """The list or object that a cell spells in JSON, or the text itself."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _tools(row: Row, value: Any) -> tuple[str, ...]:
    value = _spelled(value) if isinstance(value, str) else value
    names = value.replace(",", " ").split() if isinstance(value, str) else value or []
    if not isinstance(names, list):
        raise row.error(f"tools is {_shape(value)}; expected a list of names")
    for name in names:
        row.checked(partial(tool, str(name)))
    return tuple(map(str, names))


def _level(row: Row, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or str(value).strip().lstrip("-").isdigit() is False:
        raise row.error(f"level {value!r} is no whole number")
    return int(value)


def _id(row: Row, value: Any, content: tuple[object, ...], seen: dict[str, int]) -> str:
    name = _text(row, "id", value)
    if name is None:
        name = fingerprint(*content, size=6)
        name = f"{name}-{row.line}" if name in seen else name
    if name in seen:
        raise row.error(f"id {name!r} was used on line {seen[name]} already")
    seen[name] = row.line
    return name


def _shape(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), type(value).__name__)
