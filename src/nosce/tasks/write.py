"""Problems as a JSONL file that `read_records` reads back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nosce.core.problem import Problem


def write_records(problems: Iterable[Problem], path: Path) -> None:
    """Write one problem a line: id, question, and whichever it has of answer, choices, context, family, level, tools."""
    lines = [json.dumps(_record(problem), ensure_ascii=False) + "\n" for problem in problems]
    Path(path).write_text("".join(lines), encoding="utf-8")


def _record(problem: Problem) -> dict[str, Any]:
    record: dict[str, Any] = {"id": problem.id, "question": problem.text, "answer": problem.reference}
    record |= {"choices": list(problem.choices), "context": problem.context, "family": problem.family}
    record |= {"level": problem.level, "tools": list(problem.tools)}
    return {name: value for name, value in record.items() if value not in (None, "", [])}
