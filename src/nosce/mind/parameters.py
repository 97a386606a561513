"""The parameters of a system, held against the kinds that its signature names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from nosce.core.errors import InputError
from nosce.core.registry import System

_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def check_values(system: System, options: Mapping[str, Any]) -> None:
    """Raises InputError for the first option whose value is not of the kind that its annotation names."""
    kinds = {name: kind for function in (system.run, system.prepare) if function for name, kind in _kinds(function).items()}
    for name, value in options.items():
        if name in kinds:
            _check(system.slug, name, value, kinds[name])


def _check(slug: str, name: str, value: Any, kind: Any) -> None:
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(kind).validate_python(value, strict=kind in _WORDS)
    except ValidationError as error:
        expected = f"expected {_WORDS[kind]}" if kind in _WORDS else error.errors()[0]["msg"]
        raise InputError(f"option {name}={value!r} of {slug}: {expected}") from None


def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations that can be read at run time."""
    try:
        return get_type_hints(function)
    except NameError:  # a name imported for type checkers alone
        return {}
