"""Arithmetic chains: `37+48-12`, `6*7-15`; products first, then left to right; no step goes below zero.

A *shape* gives the digits of each operand and the operator between: `2+2+1` is two two-digit numbers and one
one-digit number joined by + or -, `2*1+2` starts with a product, `3/1` is a division that leaves no rest. Difficulty
comes from products, carries and the size of a single step rather than from the number of characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nosce.tasks.families._item import Item

NAME = "arithmetic"
LEVELS: dict[int, tuple[str, ...]] = {
    1: ("1+1", "1+1+1", "1+1+1+1", "1*1"),
    2: ("2*1", "3*1", "2*1*1", "2+2+2+2"),
    3: ("2*1+2*1", "4*1", "3*1+2"),
    4: ("3+3-3+3-3", "3*1+3*1", "3*1+2*1", "2*1+2+2"),
    5: ("4+4-4", "3/1+3", "3*1-3+3"),
    6: ("2*2", "2*2+2", "3*2", "2*2+3", "2*2+2*2"),
}
_CHAIN = re.compile(r"\d{1,6}(?:[-+*/]\d{1,6}){1,7}")


def compute(a: int, op: str, b: int) -> int:
    """a op b in whole numbers; ValueError where the result is negative, not whole, or undefined."""
    if op == "/":
        if b == 0 or a % b:
            raise ValueError(f"{a}/{b} is not a whole number")
        return a // b
    result = a + b if op == "+" else a - b if op == "-" else a * b
    if result < 0:
        raise ValueError(f"{a}{op}{b} is below zero")
    return result


def _parts(expression: str) -> tuple[list[int], list[str]]:
    return [int(n) for n in re.findall(r"\d+", expression)], re.findall(r"[-+*/]", expression)


def _position(ops: Sequence[str]) -> int:
    """Index of the operator to apply next: the first product or quotient, else the first."""
    return next((i for i, op in enumerate(ops) if op in "*/"), 0)


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """The step that follows `prior` (whose written results are taken as they are), None when all is computed."""
    numbers, ops = _parts(item.question)
    for step in prior:
        if not ops:
            raise ValueError("more steps than operators")
        i = _position(ops)
        numbers[i : i + 2] = [int(step.rpartition("=")[2])]
        del ops[i]
    if not ops:
        return None
    i = _position(ops)
    a, op, b = numbers[i], ops[i], numbers[i + 1]
    return f"{a}{op}{b}={compute(a, op, b)}"


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The last step's result."""
    return steps[-1].rpartition("=")[2]


def right(item: Item, answer: str) -> bool:
    """Whether the answer is the same whole number."""
    return bool(re.fullmatch(r"\d{1,24}", answer)) and int(answer) == int(item.answer)


def build(question: str, level: int = 0) -> Item:
    """The item of a chain; ValueError where a step is negative or not whole."""
    item = Item(NAME, level, question, "", (), question)
    steps: list[str] = []
    while (step := next_step(item, steps)) is not None:
        steps.append(step)
    return Item(NAME, level, question, conclude(item, steps), tuple(steps), question, tools=("calculator",))


def is_large_sum(question: str) -> bool:
    """Whether the chain belongs to `sums`: only additions, every operand of three digits or more."""
    return set(re.findall(r"[-+*/]", question)) == {"+"} and min(map(len, re.findall(r"\d+", question))) >= 3


def _operand(rng: np.random.Generator, digits: int) -> int:
    return int(rng.integers(10 ** (digits - 1) + (digits == 1), 10**digits))


def _chain(rng: np.random.Generator, shape: str) -> str:
    out = str(_operand(rng, int(shape[0])))
    for op, digits in zip(shape[1::2], shape[2::2], strict=True):
        op = ("+", "-")[int(rng.integers(2))] if op in "+-" else op
        number = _operand(rng, int(digits))
        if op == "/":  # replace the dividend by a multiple of the divisor
            number = max(number, 2)
            head, last = re.fullmatch(r"(.*?)(\d+)", out).groups()  # type: ignore[union-attr]  # always matches
            out = f"{head}{max(int(last) // number, 1) * number}"
        out += f"{op}{number}"
    return out


def draw(rng: np.random.Generator, level: int, shape: str | None = None) -> Item:
    """A random chain of the level (or of one shape); drawn again until no step is negative."""
    shape = shape or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    while True:
        question = _chain(rng, shape)
        try:
            item = build(question, level)
        except ValueError:
            continue
        if not is_large_sum(question):
            return item


def parse(text: str) -> Item | None:
    """The item of a typed chain, None where it is none (or leaves the whole numbers)."""
    question = re.sub(r"\s+", "", text)
    if not _CHAIN.fullmatch(question) or is_large_sum(question):
        return None
    question = re.sub(r"\d+", lambda m: str(int(m[0])), question)
    try:
        return build(question)
    except ValueError:
        return None
