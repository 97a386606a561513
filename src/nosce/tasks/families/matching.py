"""When two answers to a question of a bundled family are the same."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nosce.core.equivalence import Equivalence
from nosce.core.matching import Exact
from nosce.tasks.families.countdown import value

if TYPE_CHECKING:
    from nosce.core.problem import Problem

EQUIVALENCES = {
    "arithmetic": Equivalence("number"),
    "sums": Equivalence("number"),
    "countdown": Equivalence("countdown"),
    "lists": Equivalence("sequence", {"of": "number"}),
    "logic": Equivalence("sequence"),
    "facts": Equivalence("exact"),
}
"""How each family compares answers."""

_SIGNS = str.maketrans({"×": "*", "−": "-", "÷": "/", "[": "(", "]": ")"})
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Countdown:
    """An expression: the same as any other with the same value from the same numbers; right when it equals the
    target and uses every given number once.

    The reference is a right expression, from which target and numbers are read. `= 24` behind the expression is set
    aside when it is true.
    """

    def key(self, answer: str) -> str:
        """`24 of 3 5 8`, or the plain text of what is no expression."""
        worked = _work_out(answer)
        return f"text {Exact().key(answer)}" if worked is None else f"{worked[0]} of {' '.join(map(str, worked[1]))}"

    def same(self, a: str, b: str) -> bool:
        """Whether the keys are equal."""
        return self.key(a) == self.key(b)

    def grade(self, answer: str, reference: Any, problem: Problem) -> float:
        """1 for an expression of the reference's numbers and value, else 0."""
        worked = _work_out(answer)
        return float(worked is not None and worked == _work_out(str(reference)))


def _work_out(answer: str) -> tuple[int, list[int]] | None:
    """Value and sorted numbers of an expression, None when it is none."""
    text, equals, said = answer.translate(_SIGNS).strip().removesuffix(".").partition("=")
    if len(text) > _LONGEST or not re.fullmatch(r"[\d\s()*/+-]+", text, re.ASCII):
        return None
    try:
        result = value(text)
    except (ValueError, RecursionError, ZeroDivisionError, IndexError):
        return None
    if equals and said.strip() != str(result):
        return None
    return result, sorted(Counter(int(n) for n in re.findall(r"\d+", text)).elements())
