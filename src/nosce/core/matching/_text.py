"""Answers that are words: exact text, a choice among options, a pattern."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nosce.core.errors import InputError

if TYPE_CHECKING:
    from nosce.core.problem import Problem

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUOTES = "\"'`“”‘’«»"
_LETTER = re.compile(r"\W*([A-Za-z])\W*|\W*([A-Za-z])\s*[).:\]]\s.*|\W*([A-Za-z])\s+[-–—]\s.*", re.DOTALL)


def plain(text: str, case: bool = False) -> str:
    """The text with one kind of white space, no outer quotes and no final full stop; folded unless `case`."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    while (bare := text.strip(_QUOTES).strip().removesuffix(".").strip()) != text and bare:
        text = bare
    return text if case else unicodedata.normalize("NFKC", text.casefold())


def accepted(reference: Any) -> list[str]:
    """The answers a reference allows: a list stands for any of its members."""
    many = reference if isinstance(reference, list | tuple | set | frozenset) else [reference]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in many]


@dataclass(frozen=True, slots=True)
class Exact:
    """Same text after white space, outer quotes, a final full stop and (unless `case`) capitals are set aside.

    A reference that is a list accepts any of its members.
    """

    case: bool = False

    def key(self, answer: str) -> str:
        """The text without what does not matter."""
        return plain(answer, self.case)

    def same(self, a: str, b: str) -> bool:
        """Whether the keys are equal."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for an accepted text, else 0."""
        return float(any(self.same(answer, one) for one in accepted(reference)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several options, given by its letter (`B`, `(b)`, `B. text`) or by its text.

    `choices` are the options' texts in order; without them only letters are known. An answer that is neither is
    compared as text. A reference may be a letter, a text, or a whole number: the option of that text, else the place
    counted from 0.
    """

    choices: tuple[str, ...] = ()

    def key(self, answer: str) -> str:
        """The option's letter (its number from 1 beyond 26 options), or the plain text of what is none."""
        return _option(answer, self.choices) or f"text {plain(answer)}"

    def same(self, a: str, b: str) -> bool:
        """Whether both mean one option."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for the option of the reference, else 0."""
        choices = self.choices or problem.choices
        wanted = {option_of(one, choices) or f"text {plain(str(one))}" for one in _each(reference)}
        return float((_option(answer, choices) or f"text {plain(answer)}") in wanted)


def option_of(reference: Any, choices: tuple[str, ...]) -> str | None:
    """The name of the option that a reference means, None when it means none of them."""
    number = isinstance(reference, int) and not isinstance(reference, bool)
    if number and str(reference) not in choices:
        return _name(reference) if 0 <= reference < len(choices) else None
    return _option(str(reference), choices)


def _each(reference: Any) -> Iterable[Any]:
    return reference if isinstance(reference, list | tuple) else [reference]


def _name(place: int) -> str:
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


def _option(answer: str, choices: tuple[str, ...]) -> str | None:
    text = plain(answer)
    for place, choice in enumerate(choices):
        if text == plain(choice):
            return _name(place)
    match = _LETTER.fullmatch(answer.strip())
    if match is None:
        return None
    letter = next(group for group in match.groups() if group).upper()
    return letter if not choices or LETTERS.index(letter) < len(choices) else None


@dataclass(frozen=True, slots=True)
class Regex:
    """The reference is a pattern (Python's syntax) that the whole answer must match; `search` lets it match anywhere.

    Patterns belong to whoever wrote the data: one that backtracks for ever does so here too. Two answers are the same
    when their texts are. Raises InputError for a pattern that is none.
    """

    case: bool = False
    search: bool = False

    def key(self, answer: str) -> str:
        """The plain text."""
        return plain(answer, self.case)

    def same(self, a: str, b: str) -> bool:
        """Whether the plain texts are equal."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 when one of the patterns matches, else 0."""
        return float(any(self._matches(self.compile(one), answer) for one in accepted(reference)))

    def compile(self, pattern: str) -> re.Pattern[str]:
        """The pattern, ready for use. Raises InputError with the place where it breaks."""
        try:
            return re.compile(pattern, 0 if self.case else re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise InputError(f"reference {pattern!r} is no pattern: {error}") from None

    def _matches(self, pattern: re.Pattern[str], answer: str) -> bool:
        text = answer.strip()[:10_000]
        return (pattern.search(text) if self.search else pattern.fullmatch(text)) is not None
