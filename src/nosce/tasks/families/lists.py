"""List operations: `sort 5 3 9`, `reverse 5 3 9`, `max`, `min`, `sum`, `range`, `middle`, `product`.

Sorting and reversing write one element a step, `max` and `min` the best so far, sums and products the running
result, `range` the largest, the smallest and their difference, `middle` the sorted list. A spec is
(operation, length, digits, close): close numbers share their leading digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nosce.tasks.families._item import Item

NAME = "lists"
Spec = tuple[str, int, int, bool]
OPERATIONS = ("sort", "reverse", "max", "min", "sum", "range", "middle", "product")
LEVELS: dict[int, tuple[Spec, ...]] = {
    1: (("sort", 3, 1, False), ("reverse", 3, 1, False), ("max", 3, 1, False), ("min", 3, 1, False)),
    2: (("sort", 5, 2, False), ("reverse", 4, 2, False), ("range", 4, 2, False), ("sum", 6, 2, False), ("product", 5, 1, False)),
    3: (("sort", 6, 2, False), ("product", 6, 1, False), ("middle", 7, 3, True), ("sort", 5, 3, True)),
    4: (("sort", 6, 2, True), ("middle", 9, 3, True), ("sort", 7, 2, True)),
    5: (("sort", 6, 3, True), ("sort", 7, 3, True), ("sort", 8, 2, True)),
    6: (("product", 3, 2, False), ("product", 4, 2, False), ("sort", 9, 3, True)),
}
_QUESTION = re.compile(rf"({'|'.join(OPERATIONS)}) ((?:\d{{1,3}} ){{1,8}}\d{{1,3}})")


def task(item: Item) -> tuple[str, list[int]]:
    """Operation and numbers of a question."""
    words = item.question.split()
    return words[0], [int(n) for n in words[1:]]


def _running(op: str, numbers: list[int], prior: Sequence[str]) -> str | None:
    k = len(prior) + 1
    if k >= len(numbers):
        return None
    so_far = int(prior[-1].rpartition("=")[2]) if prior else numbers[0]
    if op in ("max", "min"):
        return str((max if op == "max" else min)(so_far, numbers[k]))
    sign, result = ("+", so_far + numbers[k]) if op == "sum" else ("*", so_far * numbers[k])
    return f"{so_far}{sign}{numbers[k]}={result}"


def _range(numbers: list[int], prior: Sequence[str]) -> str | None:
    if len(prior) < 2:
        return str((max, min)[len(prior)](numbers))
    largest, smallest = int(prior[0]), int(prior[1])
    return f"{largest}-{smallest}={abs(largest - smallest)}" if len(prior) == 2 else None


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """The step that follows `prior` (written running results are taken as they are), None at the end."""
    op, numbers = task(item)
    if op in ("sort", "middle", "reverse"):
        order = numbers[::-1] if op == "reverse" else sorted(numbers)
        return str(order[len(prior)]) if len(prior) < len(order) else None
    return _range(numbers, prior) if op == "range" else _running(op, numbers, prior)


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The written elements for sort and reverse, the one in the middle, else the last step's result."""
    op = task(item)[0]
    if op in ("sort", "reverse"):
        return " ".join(steps)
    return steps[len(steps) // 2] if op == "middle" else steps[-1].rpartition("=")[2]


def right(item: Item, answer: str) -> bool:
    """Whether the answer is the same list of numbers."""
    found = re.findall(r"\d{1,24}", answer)
    clean = re.fullmatch(r"[\d\s,\[\]]+", answer) is not None
    return clean and [int(n) for n in found] == [int(n) for n in item.answer.split()]


def build(question: str, level: int = 0) -> Item:
    """The item of a question in canonical form."""
    bare = Item(NAME, level, question, "", (), question)
    steps: list[str] = []
    while (step := next_step(bare, steps)) is not None:
        steps.append(step)
    return Item(NAME, level, question, conclude(bare, steps), tuple(steps), question)


def draw(rng: np.random.Generator, level: int, spec: Spec | None = None) -> Item:
    """A random list problem of the level, or of one spec."""
    op, length, digits, close = spec or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    low, high = (10 ** (digits - 1) if digits > 1 else 1), 10**digits
    if close:
        low = int(rng.integers(low // 10, high // 10)) * 10
        high = min(low + 25, high)
    return build(f"{op} {' '.join(str(int(n)) for n in rng.integers(low, high, length))}", level)


def parse(text: str) -> Item | None:
    """The item of a typed question, None where it is none; `largest` and `smallest` mean `max` and `min`."""
    text = re.sub(r"[\s,\[\]]+", " ", text).strip()
    text = re.sub(r"^(?:the )?(largest|smallest|median)( of)?\b", lambda m: _SYNONYMS[m[1]], text)
    match = _QUESTION.fullmatch(re.sub(r"^(\w+) of ", r"\1 ", text))
    if match is None or (match[1] == "middle" and len(match[2].split()) % 2 == 0):
        return None
    return build(f"{match[1]} {' '.join(str(int(n)) for n in match[2].split())}")


_SYNONYMS = {"largest": "max", "smallest": "min", "median": "middle"}
