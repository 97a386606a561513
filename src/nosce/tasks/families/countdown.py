"""Countdown: `make 24 from 3 5 8` wants an expression that uses every number once and equals the target.

Steps join two available numbers (`5*8=40`); subtraction stays at or above zero, division leaves no rest. A step is wrong when its
result is wrong, when it uses a number that is not there, or when the target can no longer be reached.
A spec is (numbers, largest number, operators, largest target).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from nosce.tasks.families._item import Item
from nosce.tasks.families.arithmetic import compute

NAME = "countdown"
Spec = tuple[int, int, str, int]
LEVELS: dict[int, tuple[Spec, ...]] = {
    1: ((2, 9, "+", 18), (2, 9, "+*", 81)),
    2: ((2, 12, "*/", 99), (3, 9, "+", 27), (4, 9, "+", 36), (3, 9, "+-", 27)),
    3: ((3, 12, "+-", 36), (3, 20, "+-", 60)),
    4: ((3, 12, "+-*", 99), (4, 9, "+-", 36), (4, 12, "+-", 48)),
    5: ((4, 20, "+-", 60), (4, 12, "+-*", 99), (5, 9, "+-", 40)),
    6: ((4, 25, "+-*", 300), (5, 9, "+-*", 99), (5, 12, "+-*/", 150)),
}
_QUESTION = re.compile(r"make (\d{1,4}) from ((?:\d{1,3} ){1,4}\d{1,3})")
_STEP = re.compile(r"(\d{1,6})([-+*/])(\d{1,6})=(\d{1,7})")
_LIMIT = 5000  # no intermediate above this


def _joined(a: int, op: str, b: int) -> int | None:
    try:
        result = compute(a, op, b)
    except ValueError:
        return None
    return result if result <= _LIMIT else None


def _moves(numbers: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Every legal step and the numbers left after it, larger operand first."""
    seen: set[tuple[int, int]] = set()
    for i in range(len(numbers)):
        for j in range(i + 1, len(numbers)):
            a, b = max(numbers[i], numbers[j]), min(numbers[i], numbers[j])
            if (a, b) in seen:
                continue
            seen.add((a, b))
            rest = [n for k, n in enumerate(numbers) if k not in (i, j)]
            for op in "+-*/":
                if (result := _joined(a, op, b)) is not None:
                    yield f"{a}{op}{b}={result}", [*rest, result]


def reach(numbers: Sequence[int], target: int) -> str | None:
    """The first step of a way to the target: "" when it is reached, None when there is no way."""
    return _reach(tuple(sorted(numbers)), target)


@lru_cache(maxsize=100_000)
def _reach(numbers: tuple[int, ...], target: int) -> str | None:
    if len(numbers) == 1:
        return "" if numbers[0] == target else None
    return next((step for step, rest in _moves(numbers) if reach(rest, target) is not None), None)


def task(item: Item) -> tuple[int, list[int]]:
    """Target and numbers of a question."""
    target, numbers = re.findall(r"\d+", item.question)[0], re.findall(r"\d+", item.question)[1:]
    return int(target), [int(n) for n in numbers]


def _available(numbers: list[int], prior: Sequence[str]) -> list[int]:
    left = list(numbers)
    for step in prior:
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError(f"no step: {step}")
        left.remove(int(match[1]))
        left.remove(int(match[3]))
        left.append(int(match[4]))
    return left


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """A step towards the target; where it is out of reach, any legal step; None when one number is left."""
    target, numbers = task(item)
    left = _available(numbers, prior)
    if len(left) == 1:
        return None
    return reach(left, target) or next(step for step, _ in _moves(left))


def legal(item: Item, prior: Sequence[str]) -> list[str]:
    """Every legal step after `prior`."""
    return [step for step, _ in _moves(_available(task(item)[1], prior))]


def recheck(item: Item, prior: Sequence[str], step: str) -> tuple[str, bool]:
    """The step computed again, and whether it stands: numbers there, result right, target still in reach."""
    target, numbers = task(item)
    left, match = _available(numbers, prior), _STEP.fullmatch(step)
    if match is None:
        return "", False
    a, op, b = int(match[1]), match[2], int(match[3])
    result = _joined(a, op, b)
    if result is None or Counter([a, b]) - Counter(left):
        return "", False
    again = f"{a}{op}{b}={result}"
    return again, again == step and reach(_available(numbers, [*prior, step]), target) is not None


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The expression that the steps spell, one pair of parentheses for each joined operand."""
    texts: list[tuple[int, str]] = [(n, str(n)) for n in task(item)[1]]
    for step in steps:
        match = _STEP.fullmatch(step)
        if match is None:
            raise ValueError(f"no step: {step}")
        sides = []
        for value in (int(match[1]), int(match[3])):
            # prefer an already joined number: it came later
            place = max((k for k, (v, _) in enumerate(texts) if v == value), default=None)
            if place is None:
                raise ValueError(f"{value} is not there")
            text = texts.pop(place)[1]
            sides.append(text if text.isdigit() else f"({text})")
        texts.append((int(match[4]), f"{sides[0]}{match[2]}{sides[1]}"))
    return texts[-1][1]


def value(expression: str) -> int:
    """Value of an expression of whole numbers, + - * / and parentheses; ValueError where it is none."""
    tokens = re.findall(r"\d+|[-+*/()]", expression)
    if "".join(tokens) != expression.replace(" ", "") or not tokens:
        raise ValueError(f"no expression: {expression}")
    result, rest = _sum(tokens)
    if rest:
        raise ValueError(f"no expression: {expression}")
    return result


def _sum(tokens: list[str]) -> tuple[int, list[str]]:
    result, rest = _product(tokens)
    while rest and rest[0] in "+-":
        other, after = _product(rest[1:])
        result, rest = result + other if rest[0] == "+" else result - other, after
    return result, rest


def _product(tokens: list[str]) -> tuple[int, list[str]]:
    result, rest = _atom(tokens)
    while rest and rest[0] in "*/":
        other, after = _atom(rest[1:])
        result, rest = result * other if rest[0] == "*" else compute(result, "/", other), after
    return result, rest


def _atom(tokens: list[str]) -> tuple[int, list[str]]:
    if tokens and tokens[0].isdigit():
        return int(tokens[0]), tokens[1:]
    if tokens and tokens[0] == "(":
        result, rest = _sum(tokens[1:])
        if rest and rest[0] == ")":
            return result, rest[1:]
    raise ValueError("no expression")


def right(item: Item, answer: str) -> bool:
    """Whether the expression uses every number exactly once and equals the target."""
    target, numbers = task(item)
    if len(answer) > 80 or Counter(int(n) for n in re.findall(r"\d{1,6}", answer)) != Counter(numbers):
        return False
    try:
        return value(answer) == target
    except (ValueError, RecursionError):
        return False


def _tree(rng: np.random.Generator, numbers: list[int], ops: str, top: int) -> tuple[int, list[str]] | None:
    left, steps = list(numbers), []
    while len(left) > 1:
        i, j = rng.choice(len(left), size=2, replace=False)
        a, b = max(left[i], left[j]), min(left[i], left[j])
        op = ops[int(rng.integers(len(ops)))]
        result = _joined(a, op, b)
        if result is None or (op in "*/" and b < 2) or (op == "-" and result == 0):
            return None
        steps.append(f"{a}{op}{b}={result}")
        left = [n for k, n in enumerate(left) if k not in (i, j)] + [result]
    return (left[0], steps) if 1 <= left[0] <= top else None


def draw(rng: np.random.Generator, level: int, spec: Spec | None = None) -> Item:
    """A solvable question of the level (or of one spec), built backwards from a random solution."""
    count, largest, ops, top = spec or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    while True:
        numbers = [int(n) for n in rng.integers(1, largest + 1, count)]
        found = _tree(rng, numbers, ops, top)
        if found is not None:
            return _item(found[0], numbers, found[1], level)


def _item(target: int, numbers: list[int], steps: list[str], level: int) -> Item:
    question = f"make {target} from {' '.join(map(str, numbers))}"
    canonical = f"make {target} from {' '.join(map(str, sorted(numbers)))}"
    bare = Item(NAME, level, question, "", tuple(steps), canonical)
    return Item(NAME, level, question, conclude(bare, steps), tuple(steps), canonical)


def parse(text: str) -> Item | None:
    """The item of a typed question, None where it is none or has no solution."""
    text = re.sub(r"[\s,]+", " ", text.strip())
    match = _QUESTION.fullmatch(text)
    if match is None:
        return None
    target, numbers = int(match[1]), [int(n) for n in match[2].split()]
    bare = _item(0, numbers, [], 0) if len(numbers) == 1 else None
    if bare is not None or reach(numbers, target) is None:
        return None
    steps: list[str] = []
    probe = Item(NAME, 0, f"make {target} from {match[2]}", "", (), "")
    while (step := next_step(probe, steps)) is not None:
        steps.append(step)
    return _item(target, numbers, steps, 0)
