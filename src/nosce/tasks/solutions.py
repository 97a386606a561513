"""Pairs of worked solutions in words, one right and one with a planted error, for judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nosce.core.problem import Problem
from nosce.core.streams import stream_key
from nosce.tasks.bundled import draw_problems
from nosce.tasks.families import parse, plant


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with a right and a wrong solution, each ending in its answer."""

    problem: Problem
    right: str
    wrong: str


def written(steps: Sequence[str], answer: str) -> str:
    """A solution as a model writes it: numbered steps and the answer."""
    return "\n".join([*(f"{i}. {step}" for i, step in enumerate(steps, 1)), f"Answer: {answer}"])


def solution_pairs(n: int, seed: int = 0, families: Sequence[str] = ("arithmetic", "lists", "logic")) -> list[Pair]:
    """n questions of the families' middle levels with their worked solution and one with an error that is carried on."""
    made: list[Pair] = []
    for i, problem in enumerate(draw_problems(families=families, levels=(2, 3, 4, 5), n=2 * n, seed=seed)):
        item = parse(problem.text, problem.context)
        flawed = plant(np.random.default_rng(stream_key("solution pair", seed, i)), item) if item else None
        if item is not None and flawed is not None:
            plain = replace(problem, tools=())
            made.append(Pair(plain, written(item.steps, item.answer), written(flawed[0], flawed[1])))
    return made[:n]
