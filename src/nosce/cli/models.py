"""`nosce models`: what can be sampled, and what it can really do."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Annotated

import typer

from nosce.cli import flags
from nosce.cli.flags import examples

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="What can be sampled, and what it can really do.")

PROBE = examples(
    "nosce models probe openai:llama-3@http://127.0.0.1:8080/v1",
    "nosce models probe socrates --json",
)


@app.command("probe", epilog=PROBE)
def probe(
    spec: Annotated[str, typer.Argument(help="socrates, hf:PATH_OR_NAME, openai:MODEL@URL or replay:FILE.", metavar="SPEC")],
    cached: Annotated[bool, typer.Option("--cached", help="Show what is on record where there is something.")] = False,
    as_json: flags.Json = False,
    config: flags.Config = None,
) -> None:
    """Ask a model what it really does (about 25 short calls on a server) and keep what was seen."""
    from dataclasses import asdict

    from nosce.cli.speak import say, say_json
    from nosce.models.probe import probe as probe_spec
    from nosce.report.terminal import accented, table

    seen = asyncio.run(probe_spec(spec, fresh=not cached))
    if as_json:
        say_json(asdict(seen))
        return
    rows = [(name, accented(state, state == "seen"), evidence) for name, state, evidence in seen.rows()]
    say(table(("feature", "", "what was seen"), rows, left=(0, 1, 2), title=seen.spec))


@app.command("list", epilog=examples("nosce models list", "nosce models list --json"))
def list_models(as_json: flags.Json = False, config: flags.Config = None) -> None:
    """List the bundled models, the ways of naming others, and the servers that were probed."""
    import json

    from nosce.cli.speak import say, say_json
    from nosce.models.load import BUNDLED, FORMS
    from nosce.models.probe import folder
    from nosce.report.terminal import accented, table

    probed = []
    for path in sorted(folder().glob("*.json")) if folder().is_dir() else []:
        try:
            probed.append(str(json.loads(path.read_text(encoding="utf-8"))["spec"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    if as_json:
        say_json({"bundled": list(BUNDLED), "forms": FORMS, "probed": probed})
        return
    rows = [(accented(name), "bundled") for name in BUNDLED]
    rows += [(accented(f"{scheme}:"), form) for scheme, form in FORMS.items()]
    say(table(("model", "what it is"), [*rows, *((spec, "probed") for spec in probed)], left=(0, 1)))


@app.command("card", epilog=examples("nosce models card", "nosce models card | less"))
def card(as_json: flags.Json = False, config: flags.Config = None) -> None:
    """Print the bundled model's card: what it is and is not, its grammar, and every figure measured on it."""
    from nosce.cli.speak import say, say_json
    from nosce.core.errors import InputError

    place = files("nosce.models.socrates") / "MODEL_CARD.md"
    if not place.is_file():
        raise InputError("this installation has no MODEL_CARD.md beside the bundled weights; install nosce again")
    text = place.read_text(encoding="utf-8")
    if as_json:
        say_json({"card": text})
        return
    from rich.markdown import Markdown

    say(Markdown(text))
