"""Answers with parts: sets, and JSON objects field by field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nosce.core.equivalence import Equivalence
from nosce.core.errors import InputError

if TYPE_CHECKING:
    from nosce.core.problem import Problem

_MOST_MEMBERS = 200


def _load(text: str) -> Any:
    """The JSON value of a text, None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)


@dataclass(frozen=True, slots=True)
class Set:
    """Members in any order, repeats set aside: `{1, 2}`, `["b", "a"]`, `red, blue and green`.

    `of` is the kind of the members (`exact`, `number`, ...). Members are split at `separator` (a pattern) unless the
    answer is a JSON list. With `partial` the grade is the Jaccard index |A ∩ B| / |A ∪ B|, else all or nothing.
    """

    of: str = "exact"
    separator: str = r"[,;\n]|\s+and\s+"
    partial: bool = False

    def __post_init__(self) -> None:
        try:
            re.compile(self.separator)
        except re.error as error:
            raise InputError(f"separator {self.separator!r} is no pattern: {error}") from None

    def members(self, answer: str) -> dict[str, str]:
        """The members by their keys."""
        loaded = _load(answer)
        if isinstance(loaded, list):
            parts = [_text(part) for part in loaded]
        else:
            bare = answer.strip().removesuffix(".").strip("{}[]()⟨⟩ \t\n")
            parts = [p.strip().removeprefix("and ") for p in re.split(self.separator, bare) if p and p.strip()]
        kind = Equivalence(self.of)
        return {kind.key(part): part for part in parts[:_MOST_MEMBERS]}

    def key(self, answer: str) -> str:
        """The members' keys in order."""
        return json.dumps(sorted(self.members(answer)))

    def same(self, a: str, b: str) -> bool:
        """Whether every member of one has its like in the other."""
        mine, theirs = self.members(a), self.members(b)
        return len(self._shared(mine, theirs)) == len(mine) and len(self._shared(theirs, mine)) == len(theirs)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """All or nothing, or the Jaccard index with `partial`."""
        wanted = _text(list(reference)) if isinstance(reference, list | tuple | set | frozenset) else str(reference)
        if not self.partial:
            return float(self.same(answer, wanted))
        mine, theirs = self.members(answer), self.members(wanted)
        shared = min(len(self._shared(mine, theirs)), len(self._shared(theirs, mine)))
        together = len(mine) + len(theirs) - shared
        return shared / together if together else 1.0

    def _shared(self, mine: dict[str, str], theirs: dict[str, str]) -> list[str]:
        kind = Equivalence(self.of)
        return [k for k, one in mine.items() if k in theirs or any(kind.same(one, other) for other in theirs.values())]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Members in their order: `3 5 9`, `[3, 5, 9]`, `T, F`. `of` is the kind of the members."""

    of: str = "exact"

    def members(self, answer: str) -> list[str]:
        """The members, split at white space, commas and semicolons, or taken from a JSON list."""
        loaded = _load(answer)
        if isinstance(loaded, list):
            return [_text(part) for part in loaded][:_MOST_MEMBERS]
        bare = answer.strip().removesuffix(".").strip("{}[]()⟨⟩ \t\n")
        return [part for part in re.split(r"[\s,;]+", bare) if part][:_MOST_MEMBERS]

    def key(self, answer: str) -> str:
        """The members' keys."""
        return json.dumps([Equivalence(self.of).key(part) for part in self.members(answer)])

    def same(self, a: str, b: str) -> bool:
        """Whether both have the same members in the same order."""
        mine, theirs, kind = self.members(a), self.members(b), Equivalence(self.of)
        return len(mine) == len(theirs) and all(kind.same(x, y) for x, y in zip(mine, theirs, strict=True))

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for the reference's sequence, else 0."""
        wanted = _text(list(reference)) if isinstance(reference, list | tuple) else str(reference)
        return float(self.same(answer, wanted))


class JsonFields:
    """A JSON object compared field by field: `JsonFields(name="exact", total="number")`.

    Each keyword is a field and the kind it is compared by. Without any, the reference's own fields count, as numbers
    or texts. The grade is the share of the fields that are right; two answers are the same when all fields are. The
    object may stand inside other text. Text without an object is compared as text.
    """

    def __init__(self, /, **fields: str) -> None:
        self.fields = {name: Equivalence(kind) for name, kind in fields.items()}
        for kind in self.fields.values():
            _ = kind.matcher

    def key(self, answer: str) -> str:
        """The fields' keys as one JSON object."""
        found = _object(answer)
        if found is None:
            return f"text {Equivalence().key(answer)}"
        names = self.fields or dict.fromkeys(found)
        return json.dumps({n: self._field(n).key(_text(found[n])) for n in names if n in found}, sort_keys=True)

    def same(self, a: str, b: str) -> bool:
        """Whether both have the same fields with the same values."""
        mine, theirs = _object(a), _object(b)
        if mine is None or theirs is None:
            return self.key(a) == self.key(b)
        names = set(self.fields) or {*mine, *theirs}
        return all(self._agree(name, mine, theirs) for name in names)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """The share of the fields that are right; fields that the reference lacks must be lacking."""
        wanted = reference if isinstance(reference, dict) else _object(str(reference))
        found = _object(answer)
        if wanted is None:
            return float(self.same(answer, str(reference)))
        names = list(self.fields or wanted)
        if found is None or not names:
            return float(found == wanted)
        return sum(self._agree(name, found, wanted) for name in names) / len(names)

    def _field(self, name: str) -> Equivalence:
        return self.fields.get(name) or Equivalence("number")

    def _agree(self, name: str, mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
        if name not in mine or name not in theirs:
            return (name in mine) == (name in theirs)
        return self._field(name).same(_text(mine[name]), _text(theirs[name]))


def _object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text."""
    decoder = json.JSONDecoder()
    for place in [m.start() for m in re.finditer(r"\{", text)][:20]:
        try:
            found = decoder.raw_decode(text, place)[0]
        except (ValueError, RecursionError):
            continue
        return dict(found)
    return None
