"""`nosce show`: what led to an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.core.trace import Trace

EXAMPLES = examples(
    "nosce show 5f2a9c1be0d4 --run runs/first",
    "nosce show 5f2a --full",
    "nosce show arithmetic-17 --run runs/first/traces.jsonl --json",
)


def show(
    trace: Annotated[str, typer.Argument(help="A trace's id or its beginning, or a problem's id.", metavar="TRACE")],
    run: Annotated[
        Path | None,
        typer.Option("--run", "-r", metavar="DIR", help="The run's folder or traces.jsonl.", show_default="the newest in runs/"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Every prompt and thought in full.")] = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Show the tree of what was sampled, measured and decided for one question."""
    from nosce.cli.speak import say, say_json
    from nosce.core.trace import TraceFile
    from nosce.report.trace_tree import to_rich

    path = _place(run)
    row = _result(path.with_name("results.jsonl"), trace)
    found = _find(TraceFile(path), row.get("trace_id") or trace, path)
    row = row or _result(path.with_name("results.jsonl"), found.id)
    if as_json:
        say_json({"result": row or None, "trace": json.loads(found.to_json())})
        return
    say(to_rich(found, _title(found, row), full=full))


def _place(run: Path | None) -> Path:
    from nosce.core.errors import InputError

    if run is None:
        kept = sorted(Path("runs").glob("*/traces.jsonl"), key=lambda path: path.stat().st_mtime)
        if not kept:
            raise InputError("no run in runs/; say where it is with --run DIR")
        return kept[-1]
    path = run / "traces.jsonl" if run.is_dir() else run
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the folder of a finished run (a stopped one: `nosce solve … --resume`)")
    return path


def _find(traces: Mapping[str, Trace], wanted: str, path: Path) -> Trace:
    from nosce.core.errors import InputError, unknown

    if wanted in traces:
        return traces[wanted]
    hits = [key for key in traces if key.startswith(wanted)]
    if len(hits) > 1:
        raise InputError(f"{wanted!r} is the beginning of {len(hits)} traces: {', '.join(hits[:4])} …; give more of it")
    if hits:
        return traces[hits[0]]
    of_problem = next((key for key in traces if traces[key].problem_id == wanted), None) if len(traces) <= 20_000 else None
    if of_problem is None:
        raise InputError(f"{path}: {unknown('trace', wanted, traces)}")
    return traces[of_problem]


def _result(path: Path, wanted: str) -> dict[str, Any]:
    """The result whose problem or trace is wanted, {} when there is none."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if wanted in line:
                row: dict[str, Any] = json.loads(line)
                if wanted in (row.get("id"), row.get("trace_id")):
                    return row
    return {}


def _title(trace: Trace, row: Mapping[str, Any]) -> str:
    from nosce.report.text import brief, percent

    parts = [trace.problem_id, trace.strategy, f"seed {trace.seed}"]
    if row:
        said = row["answer"] if row["answer"] is not None else f"withheld {row['withheld']}" if row.get("withheld") else "no answer"
        sure = row["confidence"] if row.get("calibrated") is None else row["calibrated"]
        grade = "" if row.get("correct") is None else ", right" if row["correct"] >= 0.5 else f", wrong (it is {row['reference']})"
        parts += [f"{row['outcome']}: {said}{grade}" + ("" if sure is None else f", {percent(sure, 0)} sure")]
    head = brief(" · ".join(parts), 300)
    return f"{head}\n{brief(row['question'], 400)}" if row else head
