"""A chat request as the keywords of the openai package, and back."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

_EXTRA = ("extra_headers", "extra_query", "timeout")


def left_out() -> Any:
    """What the installed openai package takes for an argument that is not given."""
    import openai

    return getattr(openai, "omit", openai.NOT_GIVEN)


def split(request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the body, what is no part of it), with what was left out left out and pydantic objects as plain data."""
    import openai

    absent = tuple(getattr(openai, name) for name in ("NotGiven", "Omit") if hasattr(openai, name))
    given = {name: value for name, value in request.items() if not isinstance(value, absent)}
    extra = {name: given.pop(name) for name in _EXTRA if name in given}
    body = {**given, **dict(given.pop("extra_body", None) or {})}
    body.pop("extra_body", None)
    return {name: _plain(value) for name, value in body.items() if value is not None or name == "stop"}, extra


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def known(create: Any, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body as keywords that `create` has, and the rest for `extra_body`."""
    names = _names(inspect.unwrap(create))
    return {n: v for n, v in body.items() if n in names}, {n: v for n, v in body.items() if n not in names}


def _names(create: Any) -> frozenset[str]:
    return frozenset(inspect.signature(create).parameters)
