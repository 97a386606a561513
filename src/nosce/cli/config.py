"""A TOML file that holds flags: a section per command (`[solve]`, `[models.probe]`), each key a flag's long name."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import typer

from nosce.core.errors import InputError, unknown


def from_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the file's section for this command its defaults. Raises InputError naming what is wrong, nearest names offered."""
    if path is not None and not ctx.resilient_parsing:
        flags = {name: parameter for parameter in ctx.command.params for name in _names(parameter)}
        section = _section(path, _read(path), ctx)
        for key in section:
            if key.replace("_", "-") not in flags or key == "config":
                raise InputError(f"{path}: [{_command(ctx)}]: {unknown('flag', key, [*flags])}")
        ctx.default_map = {flags[key.replace("_", "-")].name or key: _given(value) for key, value in section.items()}
    return path


def _names(parameter: Any) -> list[str]:
    """The long names of a parameter, without dashes at the front."""
    named = [name.lstrip("-") for name in [*parameter.opts, *parameter.secondary_opts] if name.startswith("--")]
    return named or [str(parameter.name).replace("_", "-")]


def _command(ctx: typer.Context) -> str:
    names: list[str] = []
    here: Any = ctx
    while here.parent is not None:
        names.append(str(here.info_name))
        here = here.parent
    return ".".join(reversed(names))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--config {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--config {path}: not TOML: {error}") from None


def _section(path: Path, data: dict[str, Any], ctx: typer.Context) -> dict[str, Any]:
    commands = getattr(ctx.find_root().command, "commands", {})
    for name, value in data.items():
        if name not in commands or not isinstance(value, dict):
            raise InputError(f"{path}: {unknown('section', name, commands)}; flags stand under the command's name, e.g. [solve]")
    found: Any = data
    for part in _command(ctx).split("."):
        found = found.get(part, {})
    return dict(found)


def _given(value: Any) -> Any:
    """What the command line would have said: a table is a list of NAME=VALUE, the rest stays."""
    if isinstance(value, dict):
        return [f"{name}={v if isinstance(v, str) else json.dumps(v)}" for name, v in value.items()]
    return value
