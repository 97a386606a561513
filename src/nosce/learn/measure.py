"""What a model in training can do now: problems it does not learn from, answered and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import numpy as np

from nosce.core.answer import Answer
from nosce.core.problem import Problem
from nosce.learn.context import Context, Strategy
from nosce.learn.engine import Engine
from nosce.learn.recipe import Column, Settings
from nosce.learn.rollout import Rollout
from nosce.mind.mind import Mind

Table = dict[str, list[float]]
"""Columns over problems × draws, problem by problem; NaN where a row has no such number."""


async def one_thought(problem: Problem, mind: Mind) -> Answer:
    """Think once; the answer comes with the geometric mean probability of its tokens as a confidence."""
    attempt = (await mind.think(problem))[0]
    logprob = attempt.mean_logprob
    if logprob is None:
        return mind.answer(attempt.answer)
    return mind.answer(attempt.answer, float(np.exp(logprob)), "logprobs")


async def measured(
    engine: Engine, problems: Sequence[Problem], strategy: Strategy | None = None, *, draws: int = 1, seed: int = 0,
    temperature: float = 1.0, columns: Mapping[str, Column] | None = None,
) -> Table:  # fmt: skip
    """Each problem answered `draws` times: `right`, `tokens` drawn, `answered`, `confidence`, and the further columns."""
    context = Context(engine, problems, Settings(temperature=temperature), seed)
    runs = [context.play(strategy or one_thought, problem, draw) for problem in problems for draw in range(draws)]
    rollouts = list(await asyncio.gather(*runs))
    return {name: [_number(column(rollout)) for rollout in rollouts] for name, column in {**COLUMNS, **(columns or {})}.items()}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _right(rollout: Rollout) -> float:
    return rollout.outcome or 0.0


def _tokens(rollout: Rollout) -> float:
    return float(rollout.length)


def _answered(rollout: Rollout) -> float:
    return float(rollout.answer is not None)


def _confidence(rollout: Rollout) -> float | None:
    return rollout.confidence


COLUMNS: dict[str, Column] = {"right": _right, "tokens": _tokens, "answered": _answered, "confidence": _confidence}
"""What is always measured."""


def summary(table: Table, draws: int = 1) -> dict[str, float]:
    """Means of the columns: `accuracy` and the rest by their names; `ece`, `brier`, `auroc2` where there is a confidence;
    `pass_at_k`, the share of problems that one of `draws` > 1 answers solves."""
    from nosce.metrics.calibration_error import ece
    from nosce.metrics.ranking import auroc2

    found = {name: float(np.nanmean(column)) for name, column in table.items() if not np.isnan(column).all()}
    found["accuracy"] = found.pop("right")
    if draws > 1:
        found["pass_at_k"] = float(np.reshape(table["right"], (-1, draws)).max(axis=1).mean())
    confidence, right = np.array(table["confidence"]), np.array(table["right"])
    stated = ~np.isnan(confidence)
    if stated.any():
        found["brier"] = float(np.mean((confidence[stated] - right[stated]) ** 2))
        found["ece"] = ece(confidence[stated], right[stated] > 0.5).value
        if 0 < right[stated].mean() < 1:
            found["auroc2"] = auroc2(confidence[stated], right[stated] > 0.5).value
    return found
