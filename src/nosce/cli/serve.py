"""`nosce serve`: the proxy, its keys and what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

if TYPE_CHECKING:
    from nosce.serve.config import Config

EXAMPLES = examples(
    "nosce serve --demo",
    "nosce serve --upstream small=openai:llama-3@http://127.0.0.1:8080/v1",
    "nosce serve --upstream small=openai:llama-3@http://127.0.0.1:8080/v1 --upstream big=openai:gpt-5 --strong big",
    "nosce serve --config nosce.toml --check",
    "nosce serve keys add alice --tokens-per-day 100000",
)

app = typer.Typer(invoke_without_command=True, rich_markup_mode="rich", epilog=EXAMPLES, help="Serve a model with metacognition.")
keys = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="The keys of callers.")
app.add_typer(keys, name="keys")

Database = Annotated[Path | None, typer.Option("--database", metavar="FILE", help="The server's file.", show_default="nosce.db")]
File = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file with a section \\[serve].")]


@app.callback(epilog=EXAMPLES)
def serve(
    ctx: typer.Context,
    upstream: Annotated[
        list[str] | None,
        typer.Option("--upstream", "-u", metavar="NAME=SPEC", help="NAME=openai:MODEL@URL; the same name twice is two replicas."),
    ] = None,
    strong: Annotated[str | None, typer.Option("--strong", metavar="NAME", help="The upstream for what stays doubtful.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Serve the bundled model.")] = False,
    host: Annotated[str | None, typer.Option("--host", help="Where to listen.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option("--port", "-p", help="0 takes a free one.", show_default="8710")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="What `nosce serve calibrate` wrote.")] = None,
    risk: Annotated[float | None, typer.Option("--risk", metavar="SHARE", help="For those who ask for none.")] = None,
    database: Database = None,
    trace_text: Annotated[bool | None, typer.Option("--trace-text/--no-trace-text", help="Keep questions and answers.")] = None,
    workers: Annotated[int, typer.Option("--workers", metavar="N", help="Processes.")] = 1,
    check: Annotated[bool, typer.Option("--check", help="Check the settings and end.")] = False,
    config: File = None,
    as_json: flags.Json = False,
) -> None:
    """An OpenAI-compatible server before one or more models: answers with a confidence, abstentions and a truthful cost."""
    if ctx.invoked_subcommand is not None:
        return
    from nosce.serve.run import serve as run

    made = configured(
        config, tuple(upstream or ()), demo, strong=strong, host=host, port=port, policy=policy, risk=risk, database=database,
        trace_text=trace_text,
    )  # fmt: skip
    if check:
        _say_checked(made, as_json)
        return
    _say_start(made)
    run(made, workers)


def configured(path: Path | None, upstreams: tuple[str, ...], demo: bool, **given: Any) -> Config:
    """The settings of the flags and the file. Raises InputError."""
    from nosce.core.errors import InputError
    from nosce.serve.config import configure

    if not demo and not upstreams and path is None:
        raise InputError("no upstream: give --upstream NAME=openai:MODEL@URL, or --demo to serve the bundled model")
    return configure(path, upstreams, demo, **given)


def _say_checked(made: Config, as_json: bool) -> None:
    from nosce.cli.speak import say, say_json
    from nosce.serve.run import check

    check(made)
    if as_json:
        say_json(made.model_dump(mode="json"))
        return
    for name, replicas in made.upstreams.items():
        say(f"{name}: {', '.join(one.model for one in replicas)}")
    say(f"would listen at http://{made.host}:{made.port}, file {made.database}")


def _say_start(made: Config) -> None:
    models = ", ".join([*made.upstreams, "nosce/auto"])
    typer.echo(f"nosce: http://{made.host}:{made.port}/v1 · models {models} · file {made.database}", err=True)


@keys.command("add", epilog=examples("nosce serve keys add alice", "nosce serve keys add bob --requests 60"))
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    admin: Annotated[bool, typer.Option("--admin", help="May see every key's traffic and label audits.")] = False,
    requests: Annotated[int | None, typer.Option("--requests", help="Per minute.")] = None,
    tokens_per_day: Annotated[int | None, typer.Option("--tokens-per-day")] = None,
    dollars_per_day: Annotated[float | None, typer.Option("--dollars-per-day")] = None,
    database: Database = None,
) -> None:
    """Make a key and print it: once, for only its digest is kept."""
    with _opened(database) as (_, held):
        limits = {"requests": requests, "tokens_per_day": tokens_per_day, "dollars_per_day": dollars_per_day}
        typer.echo(held.make(name, role="admin" if admin else "user", **limits))


@keys.command("list", epilog=examples("nosce serve keys list --json"))
def list_(database: Database = None, as_json: flags.Json = False) -> None:
    """The keys, without themselves."""
    from nosce.cli.speak import say, say_json
    from nosce.report.terminal import table

    with _opened(database) as (store, _):
        rows = [dict(row) for row in store.rows("SELECT id, name, role, limits, created, revoked FROM keys ORDER BY created")]
    if as_json:
        say_json(rows)
        return
    shown = [(r["id"], r["name"], r["role"], "revoked" if r["revoked"] else "valid") for r in rows]
    say(table(("id", "name", "role", "state"), shown))


@keys.command("revoke", epilog=examples("nosce serve keys revoke alice"))
def revoke(name: Annotated[str, typer.Argument(help="Name or id.")], database: Database = None) -> None:
    """Revoke the keys of a name; running servers notice within a second."""
    from nosce.core.errors import InputError

    with _opened(database) as (_, held):
        if not held.revoke(name):
            raise InputError(f"no valid key is called {name!r}; `nosce serve keys list` shows them")


def _opened(database: Path | None) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        from nosce.serve.config import Limits
        from nosce.serve.keys import Keys
        from nosce.serve.store import Store

        store = Store(database or Path("nosce.db"))
        try:
            yield store, Keys(store, Limits())
        finally:
            store.close()

    return opened()
