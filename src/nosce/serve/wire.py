"""A request's JSON, read once: its fields, and where they stand in the text, so that the rest is passed on byte for byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # it is there, and undocumented
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")


class Malformed(ValueError):
    """The body is no JSON object that can be passed on; the text says why."""


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is no JSON")


DEEPEST = 100
"""Levels of lists and objects in one another; what is deeper is refused."""

_DECODER = json.JSONDecoder(parse_constant=_constant)


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: `fields` as Python values, `spans` (start of the name, start and end of the value) in `text`."""

    text: str
    fields: dict[str, Any]
    spans: dict[str, tuple[int, int, int]]

    @classmethod
    def read(cls, raw: bytes) -> Body:
        """Read a JSON object. Raises Malformed for anything else, and for a name that stands twice at its top."""
        try:
            text = raw.decode("utf-8-sig") if raw[:3] == b"\xef\xbb\xbf" else raw.decode()
            fields, spans = _scan(text)
            if text.count("[") + text.count("{") > DEEPEST:
                _check_depth(fields)
            return cls(text, fields, spans)
        except Malformed:
            raise
        except UnicodeDecodeError:
            raise Malformed("the body is not UTF-8") from None
        except RecursionError:
            raise Malformed("the body is nested too deeply") from None
        except ValueError as error:
            raise Malformed(f"the body is not JSON: {error}") from None

    def passed_on(self, **changed: Any) -> bytes:
        """The same text with some fields changed or added, and without the field `metacognition`; all else byte for byte."""
        edits = [(*self.spans[n][1:], json.dumps(v)) for n, v in changed.items() if n in self.spans and self.fields[n] != v]
        if added := [f"{json.dumps(n)}:{json.dumps(v)}" for n, v in changed.items() if n not in self.spans]:
            start = self.text.index("{") + 1
            edits.append((start, start, ",".join(added) + ("," if self.fields.keys() - {"metacognition"} else "")))
        if "metacognition" in self.spans:
            edits.append((*self._member("metacognition"), ""))
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return text.encode()

    def _member(self, name: str) -> tuple[int, int]:
        """The span of a member with one of the commas around it."""
        start, _, end = self.spans[name]
        after = _SPACE.match(self.text, end).end()  # type: ignore[union-attr]  # it matches the empty text too
        if self.text[after] == ",":
            return start, after + 1
        before = self.text[:start].rstrip(" \t\n\r")
        return (len(before) - 1 if before.endswith(",") else start), end


def _scan(text: str) -> tuple[dict[str, Any], dict[str, tuple[int, int, int]]]:
    fields: dict[str, Any] = {}
    spans: dict[str, tuple[int, int, int]] = {}
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise Malformed("the body is not a JSON object")
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        if fields:
            at = _skip(text, _expect(text, at, ","))
        start = at
        name, at = scanstring(text, _expect(text, at, '"'), True)
        value = _skip(text, _expect(text, _skip(text, at), ":"))
        if name in fields:
            raise Malformed(f"{name!r} stands twice")
        fields[name], at = _DECODER.raw_decode(text, value)
        spans[name] = (start, value, at)
        at = _skip(text, at)
    if _skip(text, at + 1) != len(text):
        raise Malformed("something follows the JSON object")
    return fields, spans


def _check_depth(fields: dict[str, Any]) -> None:
    level: list[Any] = [fields]
    for _ in range(DEEPEST):
        inner = (value for one in level for value in (one.values() if isinstance(one, dict) else one))
        level = [value for value in inner if isinstance(value, dict | list)]
        if not level:
            return
    raise Malformed("the body is nested too deeply")


def _skip(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text too


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise Malformed(f"expected {mark} at character {at}")
    return at + 1
