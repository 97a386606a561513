"""The flags that several commands share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nosce.cli.config import from_file
from nosce.core.errors import InputError

Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="SPEC",
        help="socrates, hf:PATH_OR_NAME, openai:MODEL@URL or replay:FILE; several by role: main=SPEC,critic=SPEC.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output instead of tables.")]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", callback=from_file, is_eager=True,
        help="A TOML file with a section per command that may hold any of its flags; flags given here win.",
    ),
]  # fmt: skip
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=NAME", help="Which column holds a field, e.g. question=prompt. May be repeated."),
]
Kind = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", help="When two answers are the same: exact, number, choice, set, json, regex, math …"),
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Only the first N questions.")]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="BUDGET", help="The most a question may cost, e.g. tokens=2000 or calls=16,tokens=4000."),
]
Temperature = Annotated[float | None, typer.Option("--temperature", metavar="T", help="Sampling temperature.", show_default="0.7")]
Signal = Annotated[
    str,
    typer.Option("--signal", metavar="NAME", help="What says how sure to be: the strategy itself (confidence) or an estimator."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped; nothing is paid twice.")]
Charts = Annotated[Path | None, typer.Option("--charts", metavar="DIR", help="Write every chart as PNG and SVG into DIR.")]


def pairs(given: Sequence[str] | None, flag: str) -> dict[str, str]:
    """`["a=b"]` as {"a": "b"}. Raises InputError for anything else, or a name given twice."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{flag} {text!r}: expected NAME=VALUE")
        if name.strip() in found:
            raise InputError(f"{flag} {name.strip()} is given twice")
        found[name.strip()] = value.strip()
    return found


def shares(**given: float | None) -> None:
    """Raises InputError for the flag whose value does not lie strictly between 0 and 1."""
    for name, value in given.items():
        if value is not None and not 0 < value < 1:
            raise InputError(f"--{name.replace('_', '-')} {value}: expected a share between 0 and 1, e.g. 0.2")


def options(given: Sequence[str] | None) -> dict[str, Any]:
    """`--set k=8` as {"k": 8}: values are read as JSON where they are JSON, else as text."""
    return {name: _value(text) for name, text in pairs(given, "--set").items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def examples(*lines: str) -> str:
    """Example calls for the foot of a command's help."""
    return "\n\n".join(["[dim]Examples[/dim]", *(f"[dim]$[/dim] {line}" for line in lines)])
