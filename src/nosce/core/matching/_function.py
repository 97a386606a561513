"""Answers graded by a function of the caller's."""

from __future__ import annotations

from collections.abc import Callable as Function
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nosce.core.errors import InputError
from nosce.core.matching._text import plain

if TYPE_CHECKING:
    from nosce.core.problem import Problem


def _plain(answer: str) -> str:
    return plain(answer)


@dataclass(frozen=True, slots=True)
class Callable:
    """`function(answer, reference)` gives the grade in [0, 1] (or a bool); `canonical(answer)` the key, default: text.

    Only from Python: a problem with it holds a function, so it can't be written to a file. Raises InputError when the
    function fails or its grade lies outside [0, 1].
    """

    function: Function[[str, Any], float]
    canonical: Function[[str], str] = _plain

    def __post_init__(self) -> None:
        if not (callable(self.function) and callable(self.canonical)):
            raise InputError(
                f"equivalence 'callable' needs functions, not {self.function!r}; pass them from Python, "
                "they can't be read from a file"
            )

    def key(self, answer: str) -> str:
        """What `canonical` makes of the answer."""
        return str(self.canonical(answer))

    def same(self, a: str, b: str) -> bool:
        """Whether the keys are equal."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """What the function says."""
        try:
            grade = float(self.function(answer, reference))
        except Exception as error:
            raise InputError(f"the grading function failed on {answer[:80]!r} ({problem.id}): {error!r}") from None
        if not 0 <= grade <= 1:
            raise InputError(f"the grading function gave {grade} for {answer[:80]!r}; expected a grade in [0, 1]")
        return grade
