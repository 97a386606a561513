"""S368 The confidence–competence gap: how far what is said about one's answers lies from how they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nosce.core.battery import Item, Measure, Row, Source, share
from nosce.core.claim import Claim
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import battery
from nosce.metrics import auroc2
from nosce.metrics import ece as calibration_error
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.asking import gave_up
from nosce.tasks.bundled import draw_problems
from nosce.tasks.plain_words import plain_words

CLAIM = Claim(
    statement="Overconfidence is greater where competence is least (the two hardest levels) than where it is greatest (the "
    "two easiest).",
    endpoint="dunning_kruger", baseline="confidence that falls as competence does", n=240, seeds=(0, 1), taught=True,
)  # fmt: skip


def items(n: int, seed: int, source: Source) -> list[Item]:
    """Topics and levels in turn."""
    problems = draw_problems(n=n, seed=seed) if source == "bundled" else plain_words(n, seed)
    return [Item(problem) for problem in problems]


def over(confidence: Floats, right: Floats) -> float:
    """Mean confidence − share right, in [−1, 1]; above 0 is overconfident."""
    return float((confidence - right).mean())


def when_wrong(confidence: Floats, right: Floats) -> float:
    """Mean confidence in the wrong answers."""
    if (right > 0.5).all():
        raise InputError("no answer is wrong")
    return float(confidence[right < 0.5].mean())


def dunning_kruger(confidence: Floats, right: Floats, level: Floats) -> float:
    """Overconfidence on levels 5 and 6 − overconfidence on levels 1 and 2."""
    hard, easy = level >= 5, level <= 2
    if not hard.any() or not easy.any():
        raise InputError("easy or hard levels are missing")
    return over(confidence[hard], right[hard]) - over(confidence[easy], right[easy])


def ranking(confidence: Floats, right: Floats) -> float:
    """AUROC2 of the stated confidence."""
    return auroc2(confidence, right > 0.5).value


def over_likelihood(confidence: Floats, likelihood: Floats, right: Floats) -> float:
    """AUROC2 of what is said minus AUROC2 of the tokens' own probability."""
    return ranking(confidence, right) - ranking(likelihood, right)


def ece(confidence: Floats, right: Floats) -> float:
    """Expected calibration error in ten bins."""
    return calibration_error(confidence, right > 0.5).value


def remarks(rows: Sequence[Row]) -> list[str]:
    """The topics with the largest gap on either side."""
    gaps = {}
    for topic in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == topic and row["confidence"] is not None and row["right"] is not None]
        if len(own) >= 5:
            gaps[topic] = float(np.mean([row["confidence"] - row["right"] for row in own]))
    if not gaps:
        return []
    most, least = max(gaps, key=gaps.__getitem__), min(gaps, key=gaps.__getitem__)
    ends = f"{100 * gaps[least]:+.0f} points ({least}) to {100 * gaps[most]:+.0f} ({most})"
    return [f"Confidence minus competence by topic runs from {ends}."]


SAID = ("confidence", "right")
MEASURES = (
    Measure("accuracy", "right answers", "knows", ("right",), share),
    Measure("auroc2", "stated confidence tells right from wrong", "monitors", SAID, ranking, "higher", 0.5, "chance", "number",
            front=True),
    Measure("ece", "calibration error of what it says", "monitors", SAID, ece, "lower", unit="number", front=True),
    Measure("overconfidence", "confidence minus competence", "monitors", SAID, over, "nearer", 0.0, "as sure as right", "points",
            front=True),
    Measure("sure_when_wrong", "confidence in wrong answers", "monitors", SAID, when_wrong, "lower", 0.5, "a coin", front=True),
    Measure("dunning_kruger", "overconfidence grows as competence falls", "monitors", (*SAID, "level"), dunning_kruger, "lower",
            0.0,
            "the same at every level", "points"),
    Measure("over_likelihood", "says more than its probabilities do", "monitors", ("confidence", "likelihood", "right"),
            over_likelihood,
            "higher", 0.0, "AUROC2 of mean token probability", "number"),
)  # fmt: skip


@battery("S368", "confidence-competence-gap", items=items, measures=MEASURES, remarks=remarks, claim=CLAIM, acts={"think", "rate"})
async def confidence_and_competence(problem: Problem, mind: Mind) -> Row:
    """How sure does the model say it is, and how right is it, topic by topic?

    Rule: one answer, then a stated confidence c in [0, 1]. Overconfidence = mean c − share right; its Dunning–Kruger shape is
    overconfidence on the two hardest levels − on the two easiest (levels are fixed beforehand, so that no noise in the measured
    competence can make the shape); a model that says the same of everything has it in full. Baseline: the geometric mean of the
    answer's token probabilities. Answers that say "I don't know" make no claim and are left out. Source: S368 "The
    Confidence-Competence Gap in Large Language Models: A Cognitive Study". Left open and filled: levels in place of quartiles.
    The bundled model was taught to rate.
    """
    attempt = (await mind.think(problem))[0]
    if gave_up(attempt.answer):
        return {"answer": attempt.answer, "right": None, "confidence": None, "likelihood": None}
    stated = (await mind.rate(problem, attempt)).value
    likelihood = None if attempt.mean_logprob is None else math.exp(attempt.mean_logprob)
    return {"answer": attempt.answer, "right": problem.check(attempt.answer) >= 0.5, "confidence": stated, "likelihood": likelihood}
