"""Word problems of several steps, made by program, with their gold steps and a way to plant an error in one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nosce.core.equivalence import Equivalence
from nosce.core.problem import Problem
from nosce.core.streams import stream_key

Rng = np.random.Generator
SIZES = {1: (1, 1), 2: (2, 1), 3: (3, 2), 4: (4, 2), 5: (5, 3), 6: (7, 3)}
"""Level: how many steps, and how many digits the numbers have."""

SCENES = (
    ("A library begins the week with {n} books.", "books", "{n} books come in.", "{n} books are lent out.", "the collection"),
    ("A farm has {n} eggs in store.", "eggs", "the hens lay {n} more eggs.", "{n} eggs are sold.", "the stock"),
    ("A workshop has {n} screws.", "screws", "{n} screws are delivered.", "{n} screws are used up.", "the stock"),
    ("A baker has {n} rolls.", "rolls", "{n} rolls come out of the oven.", "{n} rolls are eaten.", "the heap"),
    ("A depot has {n} parcels.", "parcels", "{n} parcels arrive.", "{n} parcels leave.", "the heap"),
)  # fmt: skip
"""Opening, what is counted, how more and fewer come about, and what can grow to several times its size."""


@dataclass(frozen=True)
class Worked:
    """A word problem as a start and a chain of operations, with the steps that solve it."""

    problem: Problem
    start: int
    chain: tuple[tuple[str, int], ...]

    @property
    def steps(self) -> list[str]:
        """The gold steps, `37+48=85` each."""
        return self.go_on([])

    def go_on(self, steps: list[str]) -> list[str]:
        """The given steps and those that follow from what they say, right or wrong."""
        value = int(steps[-1].rpartition("=")[2]) if steps else self.start
        done = list(steps)
        for op, number in self.chain[len(steps) :]:
            result = applied(value, op, number)
            done.append(f"{value}{op}{number}={result}")
            value = result
        return done

    def planted(self, rng: Rng, at: int) -> list[str]:
        """The steps with a wrong result at step `at` (from 0); what follows is worked out from it correctly."""
        gold = self.steps[: at + 1]
        left, _, result = gold[at].partition("=")
        off = int(rng.choice([-10, -2, -1, 1, 2, 10]))
        wrong = int(result) + off if int(result) + off > 0 else int(result) + abs(off)
        return self.go_on([*gold[:at], f"{left}={wrong}"])


def applied(value: int, op: str, number: int) -> int:
    """The value after one operation: +, - or *."""
    return value + number if op == "+" else value - number if op == "-" else value * number


def word_problems(n: int, seed: int = 0, levels: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> list[Worked]:
    """n different word problems, levels in turn; the same for the same arguments."""
    made: dict[str, Worked] = {}
    turn = 0
    while len(made) < n:
        level = levels[turn % len(levels)]
        worked = _draw(np.random.default_rng(stream_key("worded", seed, level, turn)), level, f"worded-{seed}-{turn}")
        made.setdefault(worked.problem.text, worked)
        turn += 1
    return list(made.values())


def _draw(rng: Rng, level: int, id: str) -> Worked:
    length, digits = SIZES[level]
    opening, things, more, fewer, whole = SCENES[int(rng.integers(len(SCENES)))]
    start = value = _number(rng, digits)
    chain: list[tuple[str, int]] = []
    for _ in range(length):
        op = str(rng.choice(["+", "-", "*"] if level > 2 and value < 10**5 else ["+", "-"]))
        op = "+" if op == "-" and value < 10 else op
        most = min(value, 10**digits)
        number = int(rng.integers(2, 10)) if op == "*" else _number(rng, digits) if op == "+" else int(rng.integers(1, most))
        chain.append((op, number))
        value = applied(value, op, number)
    told = [opening.format(n=start)]
    for place, (op, number) in enumerate(chain):
        event = {"+": more, "-": fewer, "*": f"{whole} grows to {{n}} times its size."}[op].format(n=number)
        told.append(f"{'Then' if place else 'First'} {event}")
    text = " ".join(told) + f" How many {things} are there now?"
    problem = Problem(id, text, family="word problems", level=level, reference=str(value), equivalence=Equivalence("number"))
    return Worked(problem, start, tuple(chain))


def _number(rng: Rng, digits: int) -> int:
    return int(rng.integers(max(2, 10 ** (digits - 1)), 10**digits))
