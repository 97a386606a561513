"""Plurality over answers that may be the same in different words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nosce.core.problem import Problem


@dataclass(frozen=True, slots=True)
class Bloc:
    """Answers that are the same answer: the first one drawn stands for all. `weight` is their summed weight."""

    value: str
    weight: float
    members: tuple[int, ...]


def tally(problem: Problem, answers: Sequence[str | None], weights: Sequence[float] | None = None) -> list[Bloc]:
    """Group answers by the problem's equivalence, heaviest bloc first; ties go to the bloc drawn first.

    answers: in draw order, None where an attempt gave none (it belongs to no bloc); weights: one per answer, default 1.
    Equal keys join at once; blocs with different keys are compared with `same`.
    """
    blocs: dict[str, tuple[str, float, list[int]]] = {}
    for index, answer in enumerate(answers):
        if answer is None:
            continue
        weight = 1.0 if weights is None else float(weights[index])
        key = _home(problem, answer, blocs)
        value, total, members = blocs.get(key, (answer, 0.0, []))
        blocs[key] = (value, total + weight, [*members, index])
    found = [Bloc(value, total, tuple(members)) for value, total, members in blocs.values()]
    return sorted(found, key=lambda bloc: (-bloc.weight, bloc.members[0]))


def _home(problem: Problem, answer: str, blocs: dict[str, tuple[str, float, list[int]]]) -> str:
    key = problem.equivalence.key(answer)
    if key in blocs:
        return key
    return next((other for other, (value, _, _) in blocs.items() if problem.same(answer, value)), key)
