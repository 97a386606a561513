"""Sums too large for the model: `48213+90877`, two or three numbers of three digits or more.

A call to a calculator settles them. A spec is (operands, digits, carries): with `carries` False no column
overflows, so that the same length comes easy and hard.
"""

from __future__ import annotations

import re

import numpy as np

from nosce.tasks.families import arithmetic
from nosce.tasks.families._item import Item

NAME = "sums"
Spec = tuple[int, int, bool]
LEVELS: dict[int, tuple[Spec, ...]] = {
    1: ((2, 3, False), (2, 4, False)),
    2: ((3, 6, True), (2, 9, True), (3, 8, False)),
    3: ((3, 8, True), (2, 10, True)),
    4: ((3, 9, True), (2, 11, True)),
    5: ((3, 10, True), (2, 12, True)),
    6: ((3, 11, True), (3, 12, True)),
}
_SUM = re.compile(r"\d{3,12}(?:\+\d{3,12}){1,2}")
next_step = arithmetic.next_step
conclude = arithmetic.conclude
right = arithmetic.right


def build(question: str, level: int = 0) -> Item:
    """The item of one sum."""
    item = arithmetic.build(question, level)
    return Item(NAME, level, question, item.answer, item.steps, question, tools=("calculator",))


def _without_carries(rng: np.random.Generator, operands: int, digits: int) -> list[int]:
    rows = [[0] * digits for _ in range(operands)]
    for column in range(digits):
        room = 9
        for place in range(operands):
            least = int(column == 0)
            left = (operands - place - 1) * least
            rows[place][column] = int(rng.integers(least, room - left + 1))
            room -= rows[place][column]
    return [int("".join(map(str, row))) for row in rows]


def draw(rng: np.random.Generator, level: int, spec: Spec | None = None) -> Item:
    """A random sum of the level, or of one spec."""
    operands, digits, carries = spec or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    if carries:
        numbers = [int(rng.integers(10 ** (digits - 1), 10**digits)) for _ in range(operands)]
    else:
        numbers = _without_carries(rng, operands, digits)
    return build("+".join(map(str, numbers)), level)


def parse(text: str) -> Item | None:
    """The item of a typed sum of large numbers, None where it is none."""
    question = re.sub(r"\s+", "", text)
    if not _SUM.fullmatch(question):
        return None
    question = re.sub(r"\d+", lambda m: str(int(m[0])), question)
    return build(question) if _SUM.fullmatch(question) else None
