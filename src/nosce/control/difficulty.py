"""Which questions are harder, before any is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from nosce.control.each import each
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

ORDER = Cue(
    "order-by-difficulty", 1,
    {"chat": "Order the questions listed below from the easiest to the hardest for you, without solving them. Reply with their "
     "numbers alone, separated by commas, each number once, in the form\nOrder: <number>, <number>, …"},
)  # fmt: skip
"""Asks for a ranking of a batch; the act is `judge`, the options are the questions."""


async def difficulties(problems: Sequence[Problem], mind: Mind, *, batch: int = 8, rounds: int = 5) -> dict[str, float]:
    """Difficulty of each question among its peers, in [0, 1], higher is harder.

    A model that judges is shown random batches of `batch` questions, `rounds` times, and asked for their order; a
    question's difficulty is its mean relative place. Another model says of each question how likely it is to solve it
    (the act foresee) and the difficulty is 1 − that, 1 for a question outside its grammar. Raises CapabilityError when
    it can do neither.
    """
    if "judge" in mind.dialect.acts:
        return await _by_order(problems, mind, batch, rounds)
    if "foresee" not in mind.dialect.acts:
        raise CapabilityError("act foresee or judge", mind.model.spec, ["a chat model", "socrates"])
    seen = await each(mind.foresee(problem) for problem in problems)
    return {p.id: 1 - foresight.solve if foresight else 1.0 for p, foresight in zip(problems, seen, strict=True)}


async def _by_order(problems: Sequence[Problem], mind: Mind, batch: int, rounds: int) -> dict[str, float]:
    rng, asked = np.random.default_rng(mind.work.seed), []
    for _ in range(rounds):
        order = rng.permutation(len(problems))
        asked += [[problems[i] for i in order[start : start + batch]] for start in range(0, len(order), batch)]
    places = await each(_places(group, mind) for group in asked)
    return average_places([place for place in places if place], [problem.id for problem in problems])


async def _places(group: Sequence[Problem], mind: Mind) -> dict[str, float]:
    """Relative place in [0, 1] of each question of one batch; none when there is nothing to compare or the reply is no order."""
    if len(group) < 2:
        return {}
    given = Given(options=[problem.text for problem in group], cue=ORDER)
    reply = (await mind.attempts("judge", Problem(mind.work.problem.id, ""), given, max_tokens=8 * len(group)))[0]
    order = read_order(reply.text, len(group))
    return {group[i].id: place / (len(group) - 1) for place, i in enumerate(order)}


def read_order(text: str, count: int) -> list[int]:
    """The 0-based order stated in a reply: what it names first, each once; what it leaves out stands in the middle place.

    Empty when fewer than half are named.
    """
    said = [int(number) - 1 for number in re.findall(r"\d{1,4}", text.rpartition("Order:")[2])]
    named = [i for i in dict.fromkeys(said) if 0 <= i < count]
    if len(named) * 2 < count:
        return []
    missing = [i for i in range(count) if i not in named]
    half = len(named) // 2
    return [*named[:half], *missing, *named[half:]]


def average_places(places: Sequence[Mapping[str, float]], ids: Sequence[str]) -> dict[str, float]:
    """Mean place of every id over the batches it was ranked in; ½ where it was in none."""
    seen: dict[str, list[float]] = {name: [] for name in ids}
    for batch in places:
        for name, place in batch.items():
            seen[name].append(place)
    return {name: sum(found) / len(found) if found else 0.5 for name, found in seen.items()}
