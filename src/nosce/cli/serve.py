"""`nosce serve`: the proxy, its keys and what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import flags, lessons
from nosce.cli.flags import examples
from nosce.cli.server_file import Database, key_id, opened

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
app.add_typer(lessons.app, name="lessons")

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
    memory: Annotated[
        bool, typer.Option("--memory", help="Learn from audited answers, per key. Keeps their text, so it takes --trace-text.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes.")] = 1,
    check: Annotated[bool, typer.Option("--check", help="Check the settings and end.")] = False,
    config: File = None,
    as_json: flags.Json = False,
) -> None:
    """An OpenAI-compatible server before one or more models: answers with a confidence, abstentions and a truthful cost."""
    if ctx.invoked_subcommand is not None:
        return
    from nosce.serve.run import check as refuse
    from nosce.serve.run import placed, writable
    from nosce.serve.run import serve as run

    made = configured(
        config, tuple(upstream or ()), demo, strong=strong, host=host, port=port, policy=policy, risk=risk, database=database,
        trace_text=trace_text, memory={"on": True} if memory else None,
    )  # fmt: skip
    if check:
        _say_checked(made, as_json)
        return
    refuse(made)
    writable(made)
    made = placed(made)
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
    say(f"would listen at {made.address}, file {made.database}")


def _say_start(made: Config) -> None:
    models = ", ".join([*made.upstreams, "nosce/auto"])
    typer.echo(f"nosce: {made.address}/v1 · models {models} · file {made.database}", err=True)


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
    with opened(database) as (_, held):
        limits = {"requests": requests, "tokens_per_day": tokens_per_day, "dollars_per_day": dollars_per_day}
        typer.echo(held.make(name, role="admin" if admin else "user", **limits))


@keys.command("list", epilog=examples("nosce serve keys list --json"))
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


@keys.command("revoke", epilog=examples("nosce serve keys revoke alice"))
def revoke(name: Annotated[str, typer.Argument(help="Name or id.")], database: Database = None) -> None:
    """Revoke the keys of a name; running servers notice within a second."""
    from nosce.core.errors import InputError

    with opened(database) as (_, held):
        if not held.revoke(name):
            raise InputError(f"no valid key is called {name!r}; `nosce serve keys list` shows them")


@app.command(
    "calibrate",
    epilog=examples(
        "nosce serve calibrate labelled.jsonl --upstream small=openai:llama-3@http://127.0.0.1:8080/v1 --out policy.json",
        "nosce serve calibrate labelled.jsonl -u small=openai:m@http://127.0.0.1:8080/v1 -u big=openai:gpt-5 --strong big",
    ),
)
def calibrate(
    data: Annotated[str, typer.Argument(help="Labelled questions, as callers will ask them.", metavar="LABELLED")],
    upstream: Annotated[
        list[str] | None, typer.Option("--upstream", "-u", metavar="NAME=SPEC", help="As for `nosce serve`.")
    ] = None,
    strong: Annotated[str | None, typer.Option("--strong", metavar="NAME", help="The upstream for what stays doubtful.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="For the bundled model.")] = False,
    system: Annotated[
        str, typer.Option("--system", metavar="TEXT", help="A system prompt that stands before every question.")
    ] = "",
    limit: flags.Limit = None,
    column: flags.Column = None,
    kind: flags.Kind = None,
    risk: Annotated[
        list[float] | None, typer.Option("--risk", metavar="SHARE", help="Say what can be promised. May be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the policy is kept.")] = Path("policy.json"),
    runs: Annotated[
        Path | None, typer.Option("--run-dir", metavar="DIR", help="Where the answers are journalled.", show_default="runs/…")
    ] = None,
    resume: flags.Resume = False,
    config: File = None,
    as_json: flags.Json = False,
) -> None:
    """Learn from labelled questions when an answer is sure enough: what `nosce serve --policy` and `nosce.wrap` decide by."""
    import asyncio

    from nosce.cli.kept import kept
    from nosce.report.files import write_whole
    from nosce.serve.calibrating import calibrate as make
    from nosce.serve.calibrating import identity
    from nosce.tasks.load import load_problems

    problems = tuple(load_problems(data, columns=flags.pairs(column, "--column"), kind=kind))[:limit]
    settings = configured(config, tuple(upstream or ()), demo, strong=strong)
    with kept(runs, "serve-calibrate", identity(settings, problems, system)) as folder:
        made = asyncio.run(make(settings, problems, system=system, watch=_watched(), out=folder, resume=resume))
        written = write_whole(out, made.to_json())
    _say_policy(made, written, tuple(risk or (0.05, 0.1, 0.2)), as_json)


def _watched() -> Any:
    import sys

    def watch(done: int, all_: int, spent: Any) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{done} of {all_} questions, {spent.tokens:,} tokens in {spent.calls:,} calls", err=True, nl=done == all_)

    return watch


def _say_policy(made: Any, out: Path, risks: tuple[float, ...], as_json: bool) -> None:
    from dataclasses import asdict

    from nosce.cli.speak import say, say_json

    promises = [made.promise(risk) for risk in risks]
    if as_json:
        rungs, enough = list(made.ladder.rungs), made.ladder.enough
        say_json({"out": str(out), "rungs": rungs, "enough": enough, "promises": [asdict(p) for p in promises]})
        return
    say(f"{out}: {' → '.join(made.ladder.rungs)}, enough at P(right) ≥ {min(made.ladder.enough, 1):.3f}")
    for promise in promises:
        share = f"{promise.answered} of {promise.labels} labelled questions answered" if promise.enough is not None else "nothing"
        say(f"  risk {promise.alpha:g}: {share}; {promise.reason}")


audit = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="The answers drawn for an auditor.")
app.add_typer(audit, name="audit")


@audit.command("export", epilog=examples("nosce serve audit export > to-label.jsonl"))
def export(database: Database = None) -> None:
    """The drawn answers that wait for a label, one JSON object a line; fill in `score` (0 to 1), `right_answer` if you know it."""
    import json

    with opened(database) as (store, _):
        for row in store.rows("SELECT trace_id, at, question, answer, raw FROM audit WHERE state='open' ORDER BY at"):
            typer.echo(json.dumps({**dict(row), "score": None, "right_answer": None}, ensure_ascii=False))


@audit.command("label", epilog=examples("nosce serve audit label labelled.jsonl"))
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


@app.command("forget", epilog=examples("nosce serve forget --older-than 7", "nosce serve forget --key alice"))
def forget(
    older_than: Annotated[float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Everything older.")] = None,
    key: Annotated[str | None, typer.Option("--key", metavar="NAME", help="Everything of a key, by name or id.")] = None,
    trace: Annotated[str | None, typer.Option("--trace", metavar="ID", help="One request.")] = None,
    database: Database = None,
) -> None:
    """Delete what is kept of requests: traces, feedback, audits and the books."""
    import time

    from nosce.core.errors import InputError

    if older_than is None and key is None and trace is None:
        raise InputError("say what to forget: --older-than DAYS, --key NAME or --trace ID")
    with opened(database) as (store, _):
        before = None if older_than is None else time.time() - older_than * 86_400
        count = store.forget(before=before, key_id=key_id(store, key) if key else None, trace_id=trace)
    typer.echo(f"{count} requests forgotten")
