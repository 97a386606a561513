"""`nosce serve audit`: the answers drawn for an auditor, out and in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nosce.cli.flags import examples
from nosce.cli.server_file import Database, opened

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="The answers drawn for an auditor.")


@app.command("export", epilog=examples("nosce serve audit export > to-label.jsonl"))
def export(database: Database = None) -> None:
    """The drawn answers that wait for a label, one JSON object a line; fill in `score` (0 to 1), `right_answer` if you know it."""
    import json

    with opened(database) as (store, _):
        for row in store.rows("SELECT trace_id, at, question, answer, raw FROM audit WHERE state='open' ORDER BY at"):
            typer.echo(json.dumps({**dict(row), "score": None, "right_answer": None}, ensure_ascii=False))


@app.command("label", epilog=examples("nosce serve audit label labelled.jsonl"))
def label(data: Annotated[Path, typer.Argument(help="What `export` wrote, with scores.")], database: Database = None) -> None:
    """Take in labels; they move the shadow threshold of a running server at its next label, and teach where memory is on."""
    import time

    from nosce.serve.lessons import Lessons

    with opened(database) as (store, _):
        given = [row for row in _labels(data) if row.get("score") is not None]
        sql = "UPDATE audit SET state='labelled', score=?, labelled=?, by=? WHERE trace_id=?"
        store.now([(sql, (row["score"], time.time(), "cli", row["trace_id"])) for row in given])
        book = Lessons.of(store)
        for row in given:
            book.audited(row["trace_id"], row["score"], "cli", row.get("right_answer"))
    typer.echo(f"{len(given)} labels")


def _labels(path: Path) -> list[dict[str, Any]]:
    import json

    from nosce.core.errors import InputError

    rows = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line) if line.strip() else {}
            score = row.get("score")
            if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1 and "trace_id" in row):
                raise InputError(f"{path}, line {number}: expected a trace_id and a score from 0 to 1")
            rows.append(row)
    except (OSError, ValueError, AttributeError) as error:
        raise error if isinstance(error, InputError) else InputError(f"{path}: {error}") from None
    return rows
