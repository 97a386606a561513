"""Nouns to JSON and back."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from nosce.core.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")


def _adapter(cls: object) -> TypeAdapter[Any]:
    return _made(cls)


@cache
def _made(cls: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def encode(noun: object) -> dict[str, Any]:
    """The noun as plain JSON data (dicts, lists, numbers, strings)."""
    data: dict[str, Any] = _adapter(type(noun)).dump_python(noun, mode="json")
    return data


def encode_json(noun: object) -> str:
    """The noun as one line of JSON."""
    return json_line(encode(noun))


def json_line(data: object) -> str:
    """Plain data as one line of JSON that any UTF-8 file can hold: half a surrogate pair is written as its escape."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def decode(cls: type[T], data: dict[str, Any] | str | bytes) -> T:
    """Rebuild a noun from `encode` or `encode_json`. Raises InputError naming the field that does not fit."""
    from pydantic import ValidationError

    try:
        if isinstance(data, str | bytes):
            data = json.loads(data)
        noun: T = _adapter(cls).validate_python(data)
        return noun
    except (ValidationError, json.JSONDecodeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        raise InputError(f"not a {cls.__name__}: {where}: {first['msg']}") from None
