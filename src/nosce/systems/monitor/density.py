"""How far does the attempt's hidden state lie from those of attempts that were right?"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.inside.density import Gaussian
from nosce.inside.reading import attempt_state, labelled_states
from nosce.mind.mind import Mind


async def fit_densities(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 2, layer: int | None = None
) -> Artifact:
    """Gaussians of the states at the ends of right attempts and of all attempts, at `layer` (default: the last)."""
    states, right = await labelled_states(problems, mind, samples=samples)
    at = states.shape[1] - 1 if layer is None else layer
    if right.sum() < 8:
        raise InputError(f"{int(right.sum())} right attempts are too few for a density; give more labelled problems")
    near, all_ = Gaussian.fit(states[right, at]), Gaussian.fit(states[:, at])
    return Artifact("mahalanobis", "density", {"layer": at, "right": near.to_data(), "all": all_.to_data()})


@estimator("mahalanobis", "mahalanobis", needs={"hidden"}, prepare=fit_densities, prepares="labelled", family="monitor")
async def mahalanobis(problem: Problem, attempts: Sequence[Attempt], mind: Mind, density: Artifact) -> Signal:
    """Mahalanobis distance of the attempt's last hidden state from those of right attempts.

    Rule: √((h − μ)ᵀ Σ⁻¹ (h − μ)), Σ along its main axes. An uncertainty in [0, ∞). lm-polygraph's MahalanobisDistanceSeq is
    its square, fitted on references rather than on the model's own right attempts.
    """
    distance, _ = _distances(problem, attempts, mind, density)
    return mind.measure(Signal("mahalanobis", distance, "hidden", "uncertainty", 0.0, inf), attempts[0].id)


@estimator(
    "relative-mahalanobis", "relative-mahalanobis", needs={"hidden"}, prepare=fit_densities, prepares="labelled", family="monitor"
)
async def relative_mahalanobis(problem: Problem, attempts: Sequence[Attempt], mind: Mind, density: Artifact) -> Signal:
    """Mahalanobis distance from right attempts less that from attempts of any kind.

    What makes a state unusual for other reasons than being wrong (its topic, its length) is taken off. An uncertainty in
    (−∞, ∞). lm-polygraph's RelativeMahalanobisDistanceSeq takes foreign text as the background.
    """
    distance, background = _distances(problem, attempts, mind, density)
    signal = Signal("relative_mahalanobis", distance - background, "hidden", "uncertainty", -inf, inf)
    return mind.measure(signal, attempts[0].id)


def _distances(problem: Problem, attempts: Sequence[Attempt], mind: Mind, density: Artifact) -> tuple[float, float]:
    if not attempts:
        raise InputError("a density looks at an attempt; give at least one")
    state = attempt_state(problem, mind, attempts[0])[int(density.data["layer"])]
    near, all_ = (Gaussian.from_data(density.data[name]).distance(state) for name in ("right", "all"))
    return float(near), float(all_)
