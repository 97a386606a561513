"""All the signals that cost nothing beyond the samples, as one confidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nosce.control.each import each
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.core.signal import Source
from nosce.core.vote import tally
from nosce.metrics.estimate import Floats
from nosce.mind.mind import Mind
from nosce.monitor.ensemble import Ensemble
from nosce.monitor.measure import measures
from nosce.monitor.statistics import Statistics

LEFT_OUT = frozenset({"prior", "layers", "pieces", "entails", "nli"})
"""What takes more than the samples to know."""


def signals_of(problem: Problem, attempts: Sequence[Attempt]) -> dict[str, float]:
    """Every pure estimator's confidence in the first attempt that the attempts alone allow; NaN where one has no value."""
    stats = Statistics(problem, attempts)
    chosen = {name: made for name, made in measures().items() if not made.needs & LEFT_OUT}
    found = {name: made(stats).confidence for name, made in chosen.items()}
    return {name: float("nan") if value is None else value for name, value in found.items()}


def led(problem: Problem, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts with the first of the commonest answer in front: it is the one that is judged. Empty without an answer."""
    blocs = tally(problem, [attempt.answer for attempt in attempts])
    if not blocs:
        return []
    leader = attempts[blocs[0].members[0]]
    return [leader, *(attempt for attempt in attempts if attempt is not leader)]


async def fit_ensemble(problems: Sequence[Problem], mind: Mind, *, k: Count = 5) -> Artifact:
    """Weights of the signals, from k thoughts about each labelled problem and whether their commonest answer is right."""
    graded = [problem for problem in problems if problem.graded]
    drawn = await each(mind.think(problem, n=k, top=_alternatives(mind)) for problem in graded)
    rows = [(p, led(p, attempts or [])) for p, attempts in zip(graded, drawn, strict=True)]
    rows = [(problem, attempts) for problem, attempts in rows if attempts]
    if not rows:
        raise InputError("no labelled problem got an answer; the ensemble is fitted on answered ones")
    values = [signals_of(*row) for row in rows]
    right = np.array([problem.check(attempts[0].answer) >= 0.5 for problem, attempts in rows])
    made = Ensemble.fit(list(values[0]), _matrix(values), right, seed=mind.work.seed)
    return Artifact("signal-ensemble", "ensemble", made.to_data())


@strategy("signal-ensemble", "signal-ensemble", family="monitor", acts={"think"}, prepare=fit_ensemble, prepares="labelled")
async def signal_ensemble(problem: Problem, mind: Mind, ensemble: Artifact, *, k: Count = 5) -> Answer:
    """The commonest answer of k thoughts, as sure as all signals about it together say.

    Rule: a logistic regression over the standardised ranks of every registered signal that needs nothing but the samples (and
    their log-probabilities where the model gives them), fitted on labelled problems, which the cost includes. `nosce monitor`
    shows what each is worth alone.
    """
    if k < 2:
        raise InputError(f"k={k}: the signals compare samples; give k=2 or more")
    attempts = led(problem, await mind.think(problem, n=k, top=_alternatives(mind)))
    if not attempts:
        return mind.answer(None, reason="no thought gave an answer")
    seen = signals_of(problem, attempts)
    sure = float(Ensemble.from_data(ensemble.data).predict(list(seen), _matrix([seen]))[0])
    source: Source = "samples" if len(attempts) > 1 else "logprobs"
    return mind.answer(attempts[0].answer, sure, source)


def _alternatives(mind: Mind) -> int:
    return min(20, mind.model.capabilities.top) if mind.model.capabilities.logprobs else 0


def _matrix(rows: Sequence[dict[str, float]]) -> Floats:
    return np.array([list(row.values()) for row in rows], dtype=np.float64)
