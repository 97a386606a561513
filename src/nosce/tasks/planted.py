"""Worked solutions with one planted error and all that follows from it, from the bundled families or in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nosce.core.battery import Source
from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.tasks.bundled import as_problem
from nosce.tasks.families import draw_split, plant
from nosce.tasks.worded import word_problems

FAMILIES = ("arithmetic", "lists", "logic", "sums")
"""The bundled families whose thoughts have steps that can be redone one by one."""


@dataclass(frozen=True)
class Planted:
    """A problem, somebody's steps and wrong answer to it, and the first wrong step (1 is the first; 0: the answer line alone)."""

    problem: Problem
    steps: tuple[str, ...]
    wrong: str
    fault: int


def planted(source: Source, seed: int, number: int, levels: Sequence[int], *, midway: bool = False) -> Planted:
    """The `number`-th problem with a planted error: families and levels in turn, the same for the same arguments.

    `midway`: the error stands before the last step, so that something follows from it (give levels of two steps or more).
    """
    key = stream_key("planted", seed, number, tuple(levels), midway)
    rng, level = np.random.default_rng(key), levels[number // len(FAMILIES) % len(levels)]
    found = _bundled(rng, number, level, midway) if source == "bundled" else _worded(rng, key, level, midway)
    return replace(found, problem=replace(found.problem, id=f"{found.problem.id}-{number}", tools=()))


def _bundled(rng: np.random.Generator, number: int, level: int, midway: bool) -> Planted:
    while True:
        item = draw_split(rng, FAMILIES[number % len(FAMILIES)], level, "test")
        made = plant(rng, item)
        if made is not None and (not midway or 0 < made[2] < len(made[0])):
            return Planted(as_problem(item), tuple(made[0]), made[1], made[2])


def _worded(rng: np.random.Generator, key: int, level: int, midway: bool) -> Planted:
    while True:
        worked = word_problems(1, key, (level,))[0]
        at = int(rng.integers(max(1, len(worked.chain) - midway)))
        steps = worked.planted(rng, at)
        answer = steps[-1].rpartition("=")[2]
        if answer != worked.problem.reference:
            return Planted(worked.problem, tuple(steps), answer, at + 1)
