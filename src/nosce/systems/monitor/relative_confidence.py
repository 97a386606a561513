"""Which of two questions will you get right? Confidence by comparison, where a bare number means little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.mind.mind import Mind

ASKED = "Which of these two questions are you more likely to answer correctly?"


async def anchors(problems: Sequence[Problem], mind: Mind, *, most: int = 6) -> Artifact:
    """At most `most` of the questions, drawn by the run's seed, to compare every question with."""
    if most < 1:
        raise InputError(f"relative-confidence: most={most}; expected at least 1 question to compare with")
    drawn = np.random.default_rng(mind.work.seed).permutation(len(problems))[:most]
    return Artifact("relative-confidence", "anchors", {"questions": {problems[i].id: problems[i].text for i in drawn}})


@estimator("relative-confidence", "relative-confidence", family="monitor", acts={"judge"}, prepare=anchors)
async def relative_confidence(problem: Problem, attempts: Sequence[Attempt], mind: Mind, compared: Artifact) -> Signal:
    """Share of other questions that the model would rather not be asked: it is more likely to get this one right.

    Rule: each comparison is asked in both orders, so that a liking for the first place cancels; undecided counts half. Attempts
    are not looked at. In [0, 1], higher is surer; no value where there is nothing to compare with.
    """
    others = [text for id, text in compared.data["questions"].items() if id != problem.id]
    wins = [await _preferred(problem, other, mind) for other in others]
    value = float(np.mean(wins)) if wins else None
    return mind.measure(Signal("relative_confidence", value, "none" if value is None else "verbal"))


async def _preferred(problem: Problem, other: str, mind: Mind) -> float:
    """1 when both orders prefer the problem, 0 when both prefer the other."""
    ahead = await mind.judge(Problem(problem.id, ASKED), (problem.text, other))
    behind = await mind.judge(Problem(problem.id, ASKED), (other, problem.text))
    return (_half(ahead, 0) + _half(behind, 1)) / 2


def _half(picked: int | None, own: int) -> float:
    return 0.5 if picked is None else float(picked == own)
