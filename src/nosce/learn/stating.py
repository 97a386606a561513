"""An answer and what the model says of it: the rollout of recipes that train what is stated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind
from nosce.models.socrates.tokenizer import RATINGS


async def rated(problem: Problem, mind: Mind, *, temperature: float) -> tuple[Attempt, float | None]:
    """One thought, and the confidence in it as it is drawn at a temperature (0: the likeliest); None where none can be read.

    The bundled model answers with one of its ratings even where it was never taught to.
    """
    attempt = (await mind.think(problem))[0]
    mind.answer(attempt.answer)
    tokens: dict[str, Any] = {"bias": dict.fromkeys(RATINGS, 40.0), "max_tokens": 1} if mind.dialect.name == "socrates" else {}
    given = Given(attempt=attempt)
    made = (await mind.attempts("rate", problem, given, temperature=temperature, **tokens))[0]
    return attempt, mind.dialect.read("rate", replace(made, top=None), problem, given)
