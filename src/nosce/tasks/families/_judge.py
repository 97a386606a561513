"""What a written re-check of an attempt should say, and attempts with a planted error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nosce.tasks.families import _plant
from nosce.tasks.families._item import Item


@dataclass(frozen=True)
class Verdict:
    """Each checked line done again with its verdict, up to the first that falls.

    `fault` is the number of the first wrong step (1 is the first), 0 when only the answer line is wrong, None when all stands.
    """

    lines: tuple[tuple[str, bool], ...]
    answer: tuple[str, bool] | None
    fault: int | None


def said(item: Item) -> tuple[tuple[str, ...], str]:
    """Steps and answer that an honest model gives: the gold ones, `<unknown>` about strangers."""
    from nosce.tasks.families import facts

    return facts.said(item) if item.family == facts.NAME else (item.steps, item.answer)


def judge(item: Item, steps: Sequence[str], answer: str) -> Verdict:
    """The re-check of an attempt: every step after those before it, then the answer after all steps."""
    from nosce.tasks import families

    lines: list[tuple[str, bool]] = []
    for k, step in enumerate(steps):
        again, ok = _line(item, list(steps[:k]), step)
        lines.append((again, ok))
        if not ok:
            return Verdict(tuple(lines), None, k + 1)
    expected = _expected(item, steps)
    if families.right(item, answer) or (item.family == "facts" and answer == said(item)[1]):
        return Verdict(tuple(lines), (answer, True), None)
    return Verdict(tuple(lines), (expected, False), 0)


def _line(item: Item, prior: list[str], step: str) -> tuple[str, bool]:
    from nosce.tasks import families

    if item.family == "facts":
        again = said(item)[0][0] if not prior else ""
        return again, again == step
    return families.recheck(item, prior, step)


def _expected(item: Item, steps: Sequence[str]) -> str:
    from nosce.tasks import families

    if not steps or item.family == "facts":
        return said(item)[1]
    try:
        return families.go_on(item, steps)[1]
    except (ValueError, IndexError):
        return item.answer


def plant(rng: np.random.Generator, item: Item) -> tuple[list[str], str, int] | None:
    """An attempt with one planted error and what follows from it: (steps, answer, fault), None where it did not work out.

    `fault` is numbered as in `Verdict`; the attempt's answer is wrong, and `judge` finds the fault where it was planted.
    """
    from nosce.tasks import families

    gold, answer = said(item)
    k = int(rng.integers(len(gold)))
    try:
        if rng.random() < 0.07:
            steps, final = list(gold), _plant.answer(rng, item, answer)
            k = -1
        else:
            prefix = [*gold[:k], _plant.step(rng, item, gold[:k], gold[k])]
            rest, final = ([], families.conclude(item, prefix)) if item.family == "facts" else families.go_on(item, prefix)
            steps = prefix + rest
    except (ValueError, IndexError, StopIteration):
        return None
    if families.right(item, final) or judge(item, steps, final).fault != k + 1:
        return None
    return steps, final, k + 1
