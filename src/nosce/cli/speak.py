"""How commands speak: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nosce.core.errors import CapabilityError, InputError


def say(*things: Any) -> None:
    """Tables and text on standard output."""
    _console(stderr=False).print(*things, sep="\n", markup=False, highlight=False)


def note(text: str) -> None:
    """A remark on standard error; nothing where there is nothing to say."""
    if not text:
        return
    _console(stderr=True).print(text, markup=False, highlight=False, style="dim", soft_wrap=True)


def say_json(data: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(data, ensure_ascii=False, indent=1))


def _console(*, stderr: bool) -> Any:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 200)


def resume_line() -> str:
    """The command that goes on with what was stopped."""
    given = [argument for argument in sys.argv[1:] if argument != "--resume"]
    return shlex.join(["nosce", *given, "--resume"])


def can_report() -> bool:
    """Whether the libraries of the extra `nosce[report]` are there."""
    return all(find_spec(name) is not None for name in ("altair", "vl_convert", "jinja2"))


def can_train() -> bool:
    """Whether the libraries of the extra `nosce[train]` are there; TensorBoard's events are written where it is installed too."""
    return find_spec("torch") is not None


def need_report(flag: str, folder: Path | None = None) -> None:
    """Raises CapabilityError when `flag` asks for what the extra `nosce[report]` holds and it is not installed.

    The folder that it is to write into is made now, so that a wrong one is refused before anything is spent (InputError).
    """
    if not can_report():
        raise CapabilityError("extra report", flag, "pip install 'nosce[report]'")
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{flag} {folder}: cannot be written: {(error.strerror or str(error)).lower()}") from None
