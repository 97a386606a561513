"""`nosce serve lessons`: what a server learned, and who decides about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples
from nosce.cli.server_file import Database, key_id, opened

if TYPE_CHECKING:
    from rich.table import Table

    from nosce.serve.lesson import Lesson

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="What was learned from audited answers, per key.")
Number = Annotated[int, typer.Argument(help="The lesson's number.", metavar="N", show_default=False)]


@app.command("list", epilog=examples("nosce serve lessons list --state proposed", "nosce serve lessons list --key alice --json"))
def list_(
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="Of one key, by name or id.")] = None,
    state: Annotated[str | None, typer.Option("--state", metavar="STATE", help="proposed, approved or rejected.")] = None,
    limit: Annotated[int, typer.Option("--limit", help="The newest so many.", min=1)] = 200,
    database: Database = None,
    as_json: flags.Json = False,
) -> None:
    """The lessons, newest first: what is remembered of which question, who vouches for it, how often it was recalled."""
    from dataclasses import asdict

    from nosce.cli.speak import say, say_json
    from nosce.core.errors import InputError
    from nosce.serve.lessons import Lessons

    if state not in (None, "proposed", "approved", "rejected"):
        raise InputError(f"--state {state}: expected proposed, approved or rejected")
    with opened(database) as (store, _):
        found = Lessons(store).lessons(key_id(store, key) if key else None, state=state, limit=limit)  # type: ignore[arg-type]  # checked above
    if as_json:
        say_json([asdict(lesson) for lesson in found])
        return
    say(_table(found) if found else "no lessons")


def _table(found: list[Lesson]) -> Table:
    from nosce.report.terminal import accented, table

    def row(one: Lesson) -> tuple[str, ...]:
        trust = "–" if one.trust is None else f"{one.trust:.2f}"
        audits = f"{one.confirmed} : {one.refuted}"
        asked, learned = _short(one.question), _short(one.text)
        return str(one.id), one.key_id, accented(one.state), one.origin, trust, audits, str(one.used), asked, learned

    heads = ("n", "key", "state", "from", "trust", "later audits", "used", "question", "to remember")
    return table(heads, [row(one) for one in found], left=(1, 2, 3, 7, 8))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 48 else f"{line[:47]}…"


@app.command("approve", epilog=examples("nosce serve lessons approve 7"))
def approve(number: Number, database: Database = None) -> None:
    """Let a lesson be recalled: you vouch for it."""
    _decide(number, "approve", database)


@app.command("reject", epilog=examples("nosce serve lessons reject 7"))
def reject(number: Number, database: Database = None) -> None:
    """Never recall a lesson, and never take it up again."""
    _decide(number, "reject", database)


def _decide(number: int, how: str, database: Path | None) -> None:
    from nosce.serve.lessons import Lessons

    with opened(database) as (store, _):
        getattr(Lessons.of(store), how)(number)
    typer.echo(f"lesson {number}: {how}{'d' if how.endswith('e') else 'ed'}")


@app.command("forget", epilog=examples("nosce serve lessons forget 7", "nosce serve lessons forget --key alice"))
def forget(
    number: Annotated[int | None, typer.Argument(help="The lesson's number.", metavar="[N]", show_default=False)] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="Every lesson of a key.")] = None,
    database: Database = None,
) -> None:
    """Delete a lesson, or all of a key."""
    from nosce.core.errors import InputError
    from nosce.serve.lessons import Lessons

    if (number is None) == (key is None):
        raise InputError("say what to forget: a lesson's number or --key NAME")
    with opened(database) as (store, _):
        gone = Lessons(store).forget_all(key_id(store, key)) if key else int(Lessons(store).forget(number or 0))
    if number is not None and not gone:
        raise InputError(f"there is no lesson {number}; `nosce serve lessons list` shows them")
    typer.echo(f"{gone} lessons forgotten")
