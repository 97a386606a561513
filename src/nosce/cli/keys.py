"""`nosce serve keys`: who may ask, and how much."""

from __future__ import annotations

from typing import Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples
from nosce.cli.server_file import Database, opened

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="The keys of callers.")


@app.command("add", epilog=examples("nosce serve keys add alice", "nosce serve keys add bob --requests 60"))
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    admin: Annotated[bool, typer.Option("--admin", help="May see every key's traffic and label audits.")] = False,
    requests: Annotated[int | None, typer.Option("--requests", help="Per minute.")] = None,
    tokens_per_day: Annotated[int | None, typer.Option("--tokens-per-day")] = None,
    dollars_per_day: Annotated[float | None, typer.Option("--dollars-per-day")] = None,
    database: Database = None,
) -> None:
    """Make a key and print it: once, for only its digest is kept."""
    with opened(database) as (_, held):
        limits = {"requests": requests, "tokens_per_day": tokens_per_day, "dollars_per_day": dollars_per_day}
        typer.echo(held.make(name, role="admin" if admin else "user", **limits))


@app.command("list", epilog=examples("nosce serve keys list --json"))
def list_(database: Database = None, as_json: flags.Json = False) -> None:
    """The keys, without themselves."""
    from nosce.cli.speak import say, say_json
    from nosce.report.terminal import table

    with opened(database) as (store, _):
        rows = [dict(row) for row in store.rows("SELECT id, name, role, limits, created, revoked FROM keys ORDER BY created")]
    if as_json:
        say_json(rows)
        return
    shown = [(r["id"], r["name"], r["role"], "revoked" if r["revoked"] else "valid") for r in rows]
    say(table(("id", "name", "role", "state"), shown))


@app.command("revoke", epilog=examples("nosce serve keys revoke alice"))
def revoke(name: Annotated[str, typer.Argument(help="Name or id.")], database: Database = None) -> None:
    """Revoke the keys of a name; running servers notice within a second."""
    from nosce.core.errors import InputError

    with opened(database) as (_, held):
        if not held.revoke(name):
            raise InputError(f"no valid key is called {name!r}; `nosce serve keys list` shows them")
