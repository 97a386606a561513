"""Propositional logic with few variables: `p=T q=F: p and not q; q or p` wants one truth value for each expression.

Every step restates the looked-up values: `T and not F=T`. The answer lists the values, `T T`. A spec is
(variables, expressions, binary operators in each, operators); one step settles one whole expression, so a
deeper expression is a harder step, and a list of expressions keeps a guess from being right by luck.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nosce.tasks.families._item import Item

NAME = "logic"
Spec = tuple[int, int, int, str]
LEVELS: dict[int, tuple[Spec, ...]] = {
    1: ((2, 1, 1, "ao"), (2, 2, 1, "ao")),
    2: ((3, 3, 1, "aoxi"), (3, 2, 2, "aox")),
    3: ((4, 4, 2, "aox"), (3, 3, 2, "aoxi")),
    4: ((4, 4, 2, "aoxi"), (4, 4, 1, "xi")),
    5: ((4, 4, 2, "xi"), (4, 4, 3, "aoxi")),
    6: ((4, 5, 2, "xi"), (4, 4, 3, "xi")),
}
_WORD = {"a": "and", "o": "or", "x": "xor", "i": "implies"}
VARIABLES = "pqrs"
_TOKEN = re.compile(r"and|or|xor|implies|not|[pqrsTF()]")
_QUESTION = re.compile(r"((?:[pqrs]=[TF] ?){1,4}): ?([pqrs() a-z;]+)")


def _apply(word: str, a: bool, b: bool) -> bool:
    return {"and": a and b, "or": a or b, "xor": a != b, "implies": not a or b}[word]


def words(expression: str) -> list[str]:
    """The tokens of an expression."""
    return _TOKEN.findall(expression)


def evaluate(tokens: list[str]) -> bool:
    """Value of `not`-atoms joined from left to right, parentheses first; ValueError where it is no expression."""
    result, rest = _chain(tokens)
    if rest:
        raise ValueError("no expression")
    return result


def _chain(tokens: list[str]) -> tuple[bool, list[str]]:
    result, rest = _atom(tokens)
    while rest and rest[0] in ("and", "or", "xor", "implies"):
        other, after = _atom(rest[1:])
        result, rest = _apply(rest[0], result, other), after
    return result, rest


def _atom(tokens: list[str]) -> tuple[bool, list[str]]:
    head, rest = (tokens[0], tokens[1:]) if tokens else ("", [])
    if head == "not":
        result, rest = _atom(rest)
        return not result, rest
    if head in ("T", "F"):
        return head == "T", rest
    if head == "(":
        result, rest = _chain(rest)
        if rest and rest[0] == ")":
            return result, rest[1:]
    raise ValueError("no expression")


def _task(question: str) -> tuple[dict[str, str], list[str]]:
    head, _, body = question.partition(":")
    values = dict(pair.split("=") for pair in head.split())
    return values, [e.strip() for e in body.split(";")]


def next_step(item: Item, prior: Sequence[str]) -> str | None:
    """The next expression with its values put in and its result; independent of what `prior` says."""
    values, expressions = _task(item.question)
    if len(prior) >= len(expressions):
        return None
    restated = re.sub(r"\b[pqrs]\b", lambda m: values[m[0]], expressions[len(prior)])
    return f"{restated}={'T' if evaluate(_TOKEN.findall(restated)) else 'F'}"


def conclude(item: Item, steps: Sequence[str]) -> str:
    """The results of the steps in order."""
    return " ".join(step.rpartition("=")[2] for step in steps)


def right(item: Item, answer: str) -> bool:
    """Whether the values are the same, in order."""
    return re.sub(r"[\s,]+", " ", answer.strip()) == item.answer


def build(question: str, level: int = 0) -> Item:
    """The item of a question in canonical form."""
    bare = Item(NAME, level, question, "", (), question)
    steps: list[str] = []
    while (step := next_step(bare, steps)) is not None:
        steps.append(step)
    return Item(NAME, level, question, conclude(bare, steps), tuple(steps), question)


def _expression(rng: np.random.Generator, names: str, size: int, ops: str, top: bool = True) -> str:
    if size == 0:
        name = names[int(rng.integers(len(names)))]
        return f"not {name}" if rng.random() < 0.35 else name
    left = int(rng.integers(size))
    word = _WORD[ops[int(rng.integers(len(ops)))]]
    text = f"{_expression(rng, names, left, ops, False)} {word} {_expression(rng, names, size - 1 - left, ops, False)}"
    return text if top else f"({text})"


def draw(rng: np.random.Generator, level: int, spec: Spec | None = None) -> Item:
    """A random logic problem of the level, or of one spec."""
    variables, count, size, ops = spec or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    names = VARIABLES[:variables]
    values = " ".join(f"{name}={'TF'[int(rng.integers(2))]}" for name in names)
    return build(f"{values}: {'; '.join(_expression(rng, names, size, ops) for _ in range(count))}", level)


def parse(text: str) -> Item | None:
    """The item of a typed question; values may be written T, F, true, false, 1 or 0."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\b([pqrs]) ?= ?(true|t|1)\b", r"\1=T", text)
    text = re.sub(r"\b([pqrs]) ?= ?(false|f|0)\b", r"\1=F", text)
    text = re.sub(r",", " ", re.sub(r" ?([:;]) ?", r"\1 ", text)).rstrip("; ")
    match = _QUESTION.fullmatch(re.sub(r"\s+", " ", text).replace(" :", ":"))
    if match is None:
        return None
    body = "; ".join(_tidy(part) for part in match[2].split(";"))
    head = " ".join(re.findall(r"[pqrs]=[TF]", match[1]))
    try:
        return build(f"{head}: {body}")
    except (ValueError, KeyError, RecursionError):
        return None


def _tidy(expression: str) -> str:
    words = re.findall(r"[a-z]+|[()]", expression)
    return " ".join(words).replace("( ", "(").replace(" )", ")")
