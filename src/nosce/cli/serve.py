"""`nosce serve`: the proxy, what it decides by and what it forgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nosce.cli import audit, flags, keys, lessons
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
app.add_typer(keys.app, name="keys")
app.add_typer(lessons.app, name="lessons")
app.add_typer(audit.app, name="audit")

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
