"""The calculations that a thought states, done again by a calculator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nosce.core.attempt import Attempt
from nosce.core.matching import parse_number
from nosce.mind.mind import Mind

_STATED = re.compile(r"(-?[\d(][\d\s.,()+\-*/×·÷−]*?)=\s*(-?\d+(?:,\d{3})*(?:\.\d+)?)(?![\d.]*\s*[+\-*/×·÷−]\s*[\d(])")
_OPERATOR = re.compile(r"[\d)]\s*[+\-*/×·÷−]\s*[\d(−-]")
_NUMBERING = re.compile(r"^\s*(?:step\s*)?\d{1,3}[.):]\s+", re.I)


@dataclass(frozen=True, slots=True)
class Calculation:
    """`expression` = `stated`, as step number `step` (from 1) says; `value` is what the calculator makes of it."""

    step: int
    expression: str
    stated: str
    value: str

    @property
    def holds(self) -> bool:
        """Whether the calculator says the same number."""
        return parse_number(self.value) is not None and parse_number(self.value) == parse_number(self.stated)

    def __str__(self) -> str:
        verdict = "as stated" if self.holds else f"not {self.stated}"
        return f"Step {self.step}: {self.expression} = {self.value}, {verdict}."


def stated_calculations(steps: Sequence[str]) -> list[tuple[int, str, str]]:
    """Every `expression = number` with an operator in it, as (number of the step, expression, stated number)."""
    found = []
    for number, step in enumerate(steps, 1):
        for expression, stated in _STATED.findall(_NUMBERING.sub("", step)):
            if _OPERATOR.search(expression):
                found.append((number, expression.strip(), stated))
    return found


def recompute(mind: Mind, attempt: Attempt) -> list[Calculation]:
    """Every calculation of an attempt done again, one tool call each; those the calculator cannot do are left out.

    Raises BudgetExhausted when no more tool calls are allowed.
    """
    done = [
        Calculation(step, expression, stated, mind.run_tool("calculator", expression, attempt.id))
        for step, expression, stated in stated_calculations(mind.dialect.steps(attempt.text))
    ]
    return [calculation for calculation in done if not calculation.value.startswith("error")]
