"""Is the attempt right? Read off the hidden state at its end by a direction that was fitted on labelled attempts."""

from __future__ import annotations

from collections.abc import Sequence

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.inside.density import MassMean
from nosce.inside.probe import Probe, best_layer
from nosce.inside.reading import attempt_state, labelled_states
from nosce.mind.mind import Mind


async def fit_logistic_probe(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 2, layer: int | None = None, l2: float = 10.0
) -> Artifact:
    """A logistic regression from the state at an attempt's end to whether it is right, on `samples` thoughts a problem.

    The layer (after the embedding) is chosen on a held-out fifth unless given.
    """
    states, right = await labelled_states(problems, mind, samples=samples)
    at = 1 + best_layer(states[:, 1:], right, l2=l2, seed=mind.work.seed) if layer is None else layer
    return Artifact("logistic-probe", "probe", Probe.fit(states[:, at], right, layer=at, l2=l2).to_data())


@estimator("logistic-probe", "logistic-probe", needs={"hidden"}, prepare=fit_logistic_probe, prepares="labelled", family="monitor")
async def logistic_probe(problem: Problem, attempts: Sequence[Attempt], mind: Mind, probe: Artifact) -> Signal:
    """P(right) of the first attempt by a logistic regression on the hidden state of its last token.

    Rule: σ(w · h + b). In [0, 1], higher is surer. It is fitted on other, labelled problems, which the cost includes.
    """
    fitted = Probe.from_data(probe.data)
    state = attempt_state(problem, mind, _first(attempts))
    return mind.measure(Signal("logistic_probe", float(fitted.predict(state[fitted.layer])), "hidden"), attempts[0].id)


async def fit_mass_mean_probe(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 2, layer: int | None = None
) -> Artifact:
    """The difference of the mean states of right and wrong attempts, whitened, at the layer a logistic probe does best at."""
    states, right = await labelled_states(problems, mind, samples=samples)
    at = 1 + best_layer(states[:, 1:], right, l2=10.0, seed=mind.work.seed) if layer is None else layer
    return Artifact("mass-mean-probe", "probe", {"layer": at, **MassMean.fit(states[:, at], right).to_data()})


@estimator(
    "mass-mean-probe", "mass-mean-probe", needs={"hidden"}, prepare=fit_mass_mean_probe, prepares="labelled", family="monitor"
)
async def mass_mean_probe(problem: Problem, attempts: Sequence[Attempt], mind: Mind, probe: Artifact) -> Signal:
    """P(right) of the first attempt by the direction from the mean wrong to the mean right hidden state.

    Rule: σ((μ₊ − μ₋)ᵀ Σ⁻¹ (h − (μ₊ + μ₋)/2) + log(n₊/n₋)), Σ the covariance around the two means along its main axes: no
    optimisation, so little to overfit. In [0, 1], higher is surer.
    """
    state = attempt_state(problem, mind, _first(attempts))[int(probe.data["layer"])]
    return mind.measure(Signal("mass_mean_probe", float(MassMean.from_data(probe.data).predict(state)), "hidden"), attempts[0].id)


def _first(attempts: Sequence[Attempt]) -> Attempt:
    if not attempts:
        raise InputError("a probe looks at an attempt; give at least one")
    return attempts[0]
