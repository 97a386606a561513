"""Answers that are mathematical expressions, compared by math-verify."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nosce.core.errors import CapabilityError
from nosce.core.matching._number import parse_number
from nosce.core.matching._text import accepted, plain

if TYPE_CHECKING:
    from nosce.core.problem import Problem

_SECONDS = 2
_LONGEST = 400
_HUGE = re.compile(r"(?:\^|\*\*)\s*[{(]*\s*-?\s*\d{4,}|\d{3,}\s*!|(?:(?:\^|\*\*)[^=,]*){3,}|!\s*\)*\s*!")


class Math:
    """Expressions are the same when math-verify finds them equal: `1/2` and `\\frac{1}{2}`, `(x+1)^2` and `x^2+2x+1`.

    Numbers are compared as numbers first. What can't be read, or holds powers too large to work out, is compared as
    text. Raises CapabilityError without the extra `nosce[math]`.
    """

    def __init__(self) -> None:
        if find_spec("math_verify") is None:
            raise CapabilityError("math", "this installation", "the extra nosce[math]: pip install 'nosce[math]'")

    def key(self, answer: str) -> str:
        """The number, the expression as written by sympy, or the plain text."""
        if (number := parse_number(answer)) is not None:
            return str(number)
        parsed = _parse(answer)
        return f"text {plain(answer)}" if parsed is None else f"{type(parsed[0]).__name__} {parsed[0]}"

    def same(self, a: str, b: str) -> bool:
        """Whether math-verify calls them equal, in either order."""
        if self.key(a) == self.key(b):
            return True
        mine, theirs = _parse(a), _parse(b)
        if mine is None or theirs is None:
            return False
        return _verified(mine, theirs) or _verified(theirs, mine)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for an expression equal to the reference, else 0."""
        return float(any(self.same(answer, one) for one in accepted(reference)))


def _seconds() -> int | None:
    """math-verify's time limit is an alarm, which only the main thread may set."""
    return _SECONDS if threading.current_thread() is threading.main_thread() else None


@lru_cache(maxsize=1024)
def _parse(text: str) -> list[Any] | None:
    from math_verify import parse

    if len(text) > _LONGEST or _HUGE.search(text):
        return None
    written = text if any(mark in text for mark in ("$", "\\(", "\\[", "\\boxed")) else f"${text}$"
    try:
        found = parse(written, parsing_timeout=_seconds(), raise_on_error=False)
        _ = str(found)
    except Exception:  # sympy and its grammar raise all sorts on odd text: such text is no expression
        return None
    return found if found and not isinstance(found[0], str) else None


def _verified(gold: list[Any], target: list[Any]) -> bool:
    from math_verify import verify

    try:
        return bool(verify(gold, target, timeout_seconds=_seconds(), raise_on_error=False))
    except Exception:  # as above
        return False
