"""The parameters of a system, held against the kinds that its signature names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, get_type_hints

from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.registry import System

_WORDS = {Count: "a whole number of at least 1", int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def check_values(system: System, options: Mapping[str, Any]) -> None:
    """Raises InputError for the first option whose value is not of the kind that its annotation names.

    A `Count` is at least one. Any other whole number that is not below zero by itself is not set below zero: zero rounds or steps
    switch a mechanism off.
    """
    functions = [function for function in (system.run, system.prepare) if function]
    kinds = {name: kind for function in functions for name, kind in _kinds(function).items()}
    usual = {name: each.default for function in functions for name, each in signature(function).parameters.items()}
    for name, value in options.items():
        if name in kinds:
            _check(system.slug, name, value, kinds[name])
            if kinds[name] is int and isinstance(usual[name], int) and value < (least := min(usual[name], 0)):
                raise InputError(f"option {name}={value!r} of {system.slug}: expected a whole number of at least {least}")


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
        return get_type_hints(function, include_extras=True)
    except NameError:  # a name imported for type checkers alone
        return {}
