"""When to climb on and when to stop: a ladder fitted on labelled questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.control.rungs import RUNGS, Climb, Step, available, marginal
from nosce.core.errors import CapabilityError, InputError
from nosce.core.problem import Problem
from nosce.mind.mind import Mind
from nosce.monitor.calibrators import Calibrator, fit_calibrator, rebuild

Floats = NDArray[np.float64]
_FEWEST = 20  # labels of a rung below which its share of right answers is all that is learned
_NEVER = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One labelled question with every rung climbed: the steps, and how right each rung's answer is."""

    steps: Mapping[str, Step]
    right: Mapping[str, float]


async def look(problem: Problem, mind: Mind) -> Seen:
    """Climb every rung that this mind can on a labelled problem."""
    climb = Climb(problem, mind)
    for rung in available(mind):
        try:
            await climb.step(rung)
        except CapabilityError:
            continue
    return Seen(climb.steps, {rung: problem.check(step.answer) for rung, step in climb.steps.items()})


@dataclass(frozen=True)
class Ladder:
    """Rungs in order, what each rung's confidence is worth, and when it is enough.

    P(right) of a rung is its calibrator's where the rung has a confidence, else the share right among the labelled (one
    right and one wrong added). Climbing ends at the first rung whose P(right) >= `enough`; what stands then is the answer
    of the rung that was surest.
    """

    rungs: tuple[str, ...]
    calibrators: Mapping[str, Calibrator] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    enough: float = _NEVER
    labels: int = 0

    def probability(self, step: Step) -> float:
        """P(right) of a step, 0 without an answer."""
        if step.answer is None:
            return 0.0
        if step.confidence is None or step.rung not in self.calibrators:
            return self.rates.get(step.rung, 0.5)
        return float(self.calibrators[step.rung].transform([step.confidence])[0])

    def data(self) -> dict[str, Any]:
        """Plain JSON data."""
        fitted = {rung: {"kind": c.kind, "parameters": c.parameters()} for rung, c in self.calibrators.items()}
        told = {"rungs": list(self.rungs), "rates": dict(self.rates), "enough": self.enough, "labels": self.labels}
        return {**told, "calibrators": fitted}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Ladder:
        """The inverse of `data`. Raises InputError."""
        try:
            fitted = {rung: rebuild(c["kind"], c["parameters"]) for rung, c in data["calibrators"].items()}
            return cls(tuple(data["rungs"]), fitted, dict(data["rates"]), float(data["enough"]), int(data["labels"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"no ladder: {error}; expected what `nosce serve calibrate` writes") from None


def fit_ladder(seen: Sequence[Seen]) -> Ladder:
    """The cheapest ladder and stopping point whose accuracy is within one standard error of the best found.

    Every selection of rungs and every quantile of the calibrated confidences as stopping point is played through on the
    labelled questions; the standard error is that of the paired difference to the best. Raises InputError on fewer than 20.
    """
    if len(seen) < _FEWEST:
        raise InputError(f"{len(seen)} labelled questions are too few to fit a ladder on; give at least {_FEWEST}")
    rungs = [rung for rung in RUNGS if all(rung in one.steps for one in seen)]
    whole = Ladder(tuple(rungs), *_calibrated(seen, rungs), labels=len(seen))
    table = Table.of(whole, seen)
    plays = [(chosen, enough, *table.play(chosen, enough)) for chosen in _choices(rungs) for enough in table.points(chosen)]
    best = max(plays, key=lambda play: (play[2].mean(), -play[3].mean()))[2]
    good = [p for p in plays if best.mean() - p[2].mean() <= np.std(best - p[2], ddof=1) / np.sqrt(len(seen)) + 1e-12]
    chosen, enough, *_ = min(good, key=lambda play: play[3].mean())
    return Ladder(chosen, whole.calibrators, whole.rates, enough, len(seen))


def _calibrated(seen: Sequence[Seen], rungs: Sequence[str]) -> tuple[dict[str, Calibrator], dict[str, float]]:
    fitted, rates = {}, {}
    for rung in rungs:
        answered = [(one.steps[rung].confidence, one.right[rung] >= 0.5) for one in seen if one.steps[rung].answer is not None]
        rates[rung] = (sum(right for _, right in answered) + 1) / (len(answered) + 2)
        stated = [(confidence, right) for confidence, right in answered if confidence is not None]
        if len(stated) >= _FEWEST and 0 < sum(right for _, right in stated) < len(stated):
            fitted[rung] = fit_calibrator("beta", [c for c, _ in stated], [r for _, r in stated])
    return fitted, rates


def _choices(rungs: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every selection of rungs, in their order."""
    for size in range(1, len(rungs) + 1):
        yield from combinations(rungs, size)


@dataclass(frozen=True)
class Table:
    """The labelled questions as arrays [question, rung]: P(right), right or wrong, tokens of the rung alone."""

    rungs: tuple[str, ...]
    probability: Floats
    right: Floats
    tokens: Floats

    @classmethod
    def of(cls, ladder: Ladder, seen: Sequence[Seen]) -> Table:
        """Read off what was seen, with the ladder's calibrators."""
        rungs = ladder.rungs
        p = np.array([[ladder.probability(one.steps[r]) for r in rungs] for one in seen])
        right = np.array([[float(one.right[r] >= 0.5) for r in rungs] for one in seen])
        return cls(rungs, p, right, np.array([[float(one.steps[r].tokens) for r in rungs] for one in seen]))

    def columns(self, chosen: Sequence[str]) -> list[int]:
        """Where the chosen rungs stand."""
        return [self.rungs.index(rung) for rung in chosen]

    def points(self, chosen: Sequence[str]) -> list[float]:
        """Stopping points to try: quantiles of all calibrated confidences of the chosen rungs, and never."""
        if len(chosen) == 1:
            return [0.0]
        seen = self.probability[:, self.columns(chosen)[:-1]]
        return [*np.unique(np.quantile(seen, np.linspace(0, 1, 21))).tolist(), _NEVER]

    def end(self, chosen: Sequence[str], enough: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rung at which climbing ends, rung whose answer stands), as places in `chosen`, per question."""
        p = self.probability[:, self.columns(chosen)]
        stops = p >= enough
        last = np.where(stops.any(1), stops.argmax(1), len(chosen) - 1)
        visited = np.arange(len(chosen))[None, :] <= last[:, None]
        return last, np.where(visited, p, -1.0).argmax(1)

    def play(self, chosen: Sequence[str], enough: float) -> tuple[Floats, Floats]:
        """(right or wrong, tokens) per question."""
        columns = self.columns(chosen)
        last, stands = self.end(chosen, enough)
        right = self.right[np.arange(len(last)), np.array(columns)[stands]]
        costs = np.stack([self._cost(chosen[: at + 1]) for at in range(len(chosen))], axis=1)  # [question, rung reached]
        return right, costs[np.arange(len(last)), last]

    def _cost(self, climbed: Sequence[str]) -> Floats:
        ones = {rung: self.tokens[:, column] for column, rung in enumerate(self.rungs)}
        return np.asarray(sum((ones[r] for r in _paid(climbed) if r in ones), np.zeros(len(self.tokens))))


def _paid(climbed: Sequence[str]) -> list[str]:
    """The rungs whose own cost is paid when `climbed` are."""
    return [rung for rung in RUNGS if marginal(climbed, {rung: 1.0})]
