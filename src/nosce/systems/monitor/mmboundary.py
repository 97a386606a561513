"""S031 MMBoundary: how sure the model is of each step, from what it shows itself while writing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nosce.control.each import each
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim, Pair
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.calibrators import Histogram
from nosce.monitor.observe import relevance
from nosce.monitor.spans import parts_of, token_spans, tokens_of

CLAIM = Claim(
    statement="The confidence in single steps lies nearer to whether they are right than the confidence stated in the whole "
    "answer, both put into five levels on the same labelled steps.",
    endpoint="step_brier", baseline="the stated confidence (rate) in the whole attempt, held for each of its steps",
    taught=True, analogue_of="steps of reasoning about an image", families=("arithmetic", "lists", "logic"), n=150,
)  # fmt: skip
LEVELS = 5
PHRASES = (
    "I am quite unsure of this", "I have doubts about this", "This may be right", "I am fairly sure of this",
    "I am certain of this",
)  # fmt: skip
"""What each level says, from the least sure up."""


def step_scores(attempt: Attempt, mind: Mind) -> Floats:
    """How sure each step of a thought was written, [steps] in [0, 1]; one value for the whole where steps have no tokens.

    The mean of exp(mean log p), exp(−mean entropy) and exp(−TokenSAR) over the step's tokens, of those that the model gives.
    """
    tokens, matters = token_spans(attempt, mind), relevance(attempt, mind)
    steps = mind.dialect.steps(attempt.text)
    rows = [tokens_of(span, tokens) for span in parts_of(attempt.text, steps)] if tokens else []
    rows = [row for row in rows if row] or [list(range(len(attempt.logprobs or ())))]
    return np.array([_sureness(attempt, row, matters) for row in rows])


def _sureness(attempt: Attempt, rows: Sequence[int], matters: Floats | None) -> float:
    logprobs = np.array(attempt.logprobs or (), dtype=np.float64)[list(rows)]
    signals = [float(np.exp(logprobs.mean()))]
    if attempt.entropies:
        signals.append(float(np.exp(-np.mean([attempt.entropies[t] for t in rows]))))
    if matters is not None and (weight := matters[list(rows)]).sum() > 0:
        signals.append(float(np.exp((logprobs * weight).sum() / weight.sum())))
    return min(1.0, float(np.mean(signals)))


async def fit_levels(problems: Sequence[Problem], mind: Mind, *, samples: int = 2) -> Artifact:
    """Five levels of sureness and the share of right steps in each, from `samples` thoughts about each labelled problem.

    A step's label is its family's own re-check where there is one, else whether the attempt's answer is right. Raises
    InputError for fewer than 20 labelled steps.
    """
    scored = await labelled_steps(problems, mind, samples)
    found = sum(len(scores) for _, _, scores, _ in scored)
    if found < 20:
        raise InputError(f"{found} steps of attempts at labelled problems are too few; give more labelled problems")
    return Artifact("mmboundary", "levels", dict(_levels([s for _, _, s, _ in scored], [r for *_, r in scored]).parameters()))


def _levels(sure: Sequence[Floats], right: Sequence[Floats]) -> Histogram:
    """Five levels of nearly equal number, each with its share of right steps."""
    return Histogram.fit(np.concatenate(sure), np.concatenate(right).astype(bool), bins=LEVELS)


async def labelled_steps(
    problems: Sequence[Problem], mind: Mind, samples: int
) -> list[tuple[Problem, Attempt, Floats, Floats]]:
    """Thoughts about labelled problems with each step's sureness and rightness, where the two have the same length."""
    graded = [problem for problem in problems if problem.graded]
    drawn = await each(mind.think(problem, n=samples) for problem in graded)
    found = []
    for problem, attempts in zip(graded, drawn, strict=True):
        for attempt in attempts or ():
            scores, right = step_scores(attempt, mind), steps_right(problem, attempt, mind)
            if len(scores) == 1:  # the attempt as a whole
                right = np.array([float(problem.check(attempt.answer) >= 0.5)])
            if attempt.answer is not None and len(scores) == len(right):
                found.append((problem, attempt, scores, right))
    return found


def steps_right(problem: Problem, attempt: Attempt, mind: Mind) -> Floats:
    """Whether each step stands, given those before it; the attempt's own grade for each where no family can re-check."""
    from nosce.tasks.families import parse, recheck

    steps = mind.dialect.steps(attempt.text)
    item = parse(problem.text, problem.context)
    if item is None or item.family != problem.family or not steps:
        return np.full(max(1, len(steps)), float(problem.check(attempt.answer) >= 0.5))
    return np.array([float(recheck(item, steps[:i], step)[1]) for i, step in enumerate(steps)])


async def _experiment(bench: Any, claim: Claim, seed: int) -> Sequence[Pair]:
    """Per thought: minus the mean squared distance of confidence from rightness over its steps, of both sides."""
    engine = bench.engine(seed)
    fitting = engine.mind(Problem("prepare-mmboundary", ""))
    scored = await labelled_steps(bench.labelled, fitting, 2)
    rated = [await fitting.rate(problem, attempt) for problem, attempt, *_ in scored]
    right = [r for *_, r in scored]
    ours = _levels([s for _, _, s, _ in scored], right)
    theirs = _levels([_held(r.value, len(steps)) for r, steps in zip(rated, right, strict=True)], right)
    pairs = []
    for problem, mind in ((p, engine.mind(p)) for p in bench.problems):
        for _, attempt, scores, right_here in await labelled_steps([problem], mind, 1):
            before = mind.work.meter.spent.tokens
            whole = (await mind.rate(problem, attempt)).value
            spent = mind.work.meter.spent.tokens
            said = theirs.transform(_held(whole, len(scores)))
            near, far = (-float(np.mean((c - right_here) ** 2)) for c in (ours.transform(scores), said))
            pairs.append(Pair(problem.id, near, far, before, spent))
    return pairs


def _held(stated: float | None, steps: int) -> Floats:
    """The confidence stated in a whole attempt, for each of its steps; ½ where none was stated."""
    return np.full(steps, 0.5 if stated is None else stated)


@estimator(
    "S031", "mmboundary", needs={"logprobs"}, prepare=fit_levels, prepares="labelled", claim=CLAIM, experiment=_experiment,
    looks_at=["logprobs", "pieces"],
)  # fmt: skip
async def mmboundary(problem: Problem, attempts: Sequence[Attempt], mind: Mind, levels: Artifact) -> Signal:
    """Confidence in the least sure step of the first attempt.

    Rule: a step's sureness is the mean of its length-normalised likelihood, exp(−mean token entropy) and exp(−TokenSAR); it
    falls into one of five levels, and a level's confidence is the share of right steps in it where it was fitted; the attempt
    is as sure as its weakest step. Every step's confidence and the phrase of its level go into the trace. In [0, 1], higher
    is surer. Source: S031 "MMBoundary: Advancing MLLM Knowledge Boundary Awareness through Reasoning Step Confidence
    Calibration". Left open and filled: equal weights; no image, so no CLIPScore; the levels are measured, where the source
    trains the model to say them.
    """
    if not attempts:
        raise InputError("mmboundary looks at an attempt; give at least one")
    scale = Histogram(**levels.data)
    sure = scale.transform(step_scores(attempts[0], mind))
    for i, value in enumerate(sure.tolist(), 1):
        mind.measure(Signal(f"step {i}: {phrase(value, scale.values)}", value, "logprobs"), attempts[0].id)
    return mind.measure(Signal("mmboundary", float(sure.min()), "logprobs"), attempts[0].id)


def phrase(confidence: float, levels: Sequence[float]) -> str:
    """The words of a level, by its rank among the levels that there are."""
    ranked = sorted(set(levels))
    return PHRASES[ranked.index(confidence) * LEVELS // len(ranked)]
