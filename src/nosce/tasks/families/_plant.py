"""Errors of the kinds that the model itself makes: a digit off, a wrong operand, a flipped truth value, a dead end."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nosce.tasks.families import arithmetic, countdown, facts, lists, logic
from nosce.tasks.families._item import Item


def number(rng: np.random.Generator, value: int) -> int:
    """A whole number near `value` and different from it: off by one, two or ten, or with one digit changed or swapped."""
    text = str(value)
    kind, place = float(rng.random()), int(rng.integers(len(text)))
    if kind < 0.35:
        near = value + int(rng.choice([-1, 1, -2, 2]))
    elif kind < 0.55:
        near = value + int(rng.choice([-1, 1])) * 10 ** int(rng.integers(1, max(len(text), 2)))
    elif kind < 0.85 or len(text) == 1:
        near = int(text[:place] + str(int(rng.integers(10))) + text[place + 1 :])
    else:
        digits = list(text)
        digits[place - 1], digits[place] = digits[place], digits[place - 1]
        near = int("".join(digits))
    return near if near >= 0 and near != value else value + 1


def step(rng: np.random.Generator, item: Item, prior: Sequence[str], gold: str) -> str:
    """A wrong version of the gold step that follows `prior`; ValueError where none was found."""
    if item.family == facts.NAME:
        return _fact(rng, item, gold)
    if item.family == logic.NAME:
        return _logic(rng, gold)
    if item.family == countdown.NAME and rng.random() < 0.5:
        return _dead_end(rng, item, prior)
    if "=" not in gold:
        others = lists.task(item)[1]
        near = int(rng.choice(others)) if rng.random() < 0.6 else number(rng, int(gold))
        return str(near if near != int(gold) else number(rng, int(gold)))
    left, _, result = gold.partition("=")
    if item.family != countdown.NAME and rng.random() < 0.25:
        return _wrong_operand(rng, left)
    return f"{left}={number(rng, int(result))}"


def _wrong_operand(rng: np.random.Generator, left: str) -> str:
    a, op, b = re.fullmatch(r"(\d+)([-+*/])(\d+)", left).groups()  # type: ignore[union-attr]  # a gold step
    a, b = (str(number(rng, int(a))), b) if rng.random() < 0.5 else (a, str(number(rng, int(b))))
    return f"{a}{op}{b}={arithmetic.compute(int(a), op, int(b))}"


def _dead_end(rng: np.random.Generator, item: Item, prior: Sequence[str]) -> str:
    moves = countdown.legal(item, prior)
    dead = [move for move in moves if not countdown.recheck(item, prior, move)[1]]
    if not dead:
        raise ValueError("every step leads to the target")
    return dead[int(rng.integers(len(dead)))]


def _logic(rng: np.random.Generator, gold: str) -> str:
    left, _, result = gold.partition("=")
    spots = [m.start() for m in re.finditer("[TF]", left)]
    if rng.random() < 0.6:
        return f"{left}={'F' if result == 'T' else 'T'}"
    at = spots[int(rng.integers(len(spots)))]
    left = left[:at] + ("F" if left[at] == "T" else "T") + left[at + 1 :]
    return f"{left}={'T' if logic.evaluate(logic.words(left)) else 'F'}"


def _fact(rng: np.random.Generator, item: Item, gold: str) -> str:
    left, _, value = gold.partition("=")
    values = facts.ATTRIBUTES[facts.task(item)[1]]
    other = values[int(rng.integers(len(values)))]
    if other == value or (value != facts.UNKNOWN and rng.random() < 0.1):
        raise ValueError("the same value")
    return f"{left}={other}"


def answer(rng: np.random.Generator, item: Item, gold: str) -> str:
    """A wrong version of the gold answer after right steps."""
    if item.family == logic.NAME:
        values = gold.split()
        at = int(rng.integers(len(values)))
        return " ".join("FT"[v == "F"] if k == at else v for k, v in enumerate(values))
    if item.family == facts.NAME:
        return _fact(rng, item, f"x={gold}")[2:]
    found = list(re.finditer(r"\d+", gold))
    spot = found[int(rng.integers(len(found)))]
    return gold[: spot.start()] + str(number(rng, int(spot[0]))) + gold[spot.end() :]
