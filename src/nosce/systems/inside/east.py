"""S372 EAST: make the model more or less sure of its decisions by adding a direction to its hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nosce.control.each import each
from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.artifact import Artifact
from nosce.core.attempt import Attempt
from nosce.core.claim import Claim
from nosce.core.count import Count
from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.core.registry import intervention, study
from nosce.inside.reading import question_state
from nosce.inside.steering import entropy_direction, vote_entropy
from nosce.mind.mind import Mind

BETAS = (-0.1, -0.05, 0.0, 0.05, 0.1)
"""Small: beyond about 0.2 any direction scatters the bundled model's answers, and its accuracy falls."""

DOSE = Claim(
    statement="The entropy of the answers rises with the coefficient β, and more than along a direction of shuffled weights.",
    endpoint="entropy_slope", baseline="a direction of shuffled weights", n=60,
    analogue_of="actions of an agent in a bandit (here: answers to questions)",
)  # fmt: skip
STEERED = Claim(
    statement="The vote over steered thoughts is right more often than the vote over plain ones (in the source: less regret).",
    endpoint="accuracy", baseline="self-consistency", baseline_options={"k": 8}, analogue_of=DOSE.analogue_of,
)  # fmt: skip


async def direction(
    problems: Sequence[Problem], mind: Mind, *, samples: int = 8, layer: int | None = None, most: int = 64
) -> Artifact:
    """The entropy-weighted direction at `layer` (default: the middle one), from the first `most` questions.

    The decision is the answer: its entropy is that of the answers of `samples` thoughts; the state is that of the
    question's last token.
    """
    states, entropies = await _measured(problems[:most], mind, samples)
    at = states.shape[1] // 2 if layer is None else layer
    vector = entropy_direction(states[:, at], entropies)
    return Artifact("east", "direction", {"layer": at, "vector": np.round(vector, 6).tolist()})


@intervention("S372", "east", part="steered", needs={"hidden"}, acts={"think"}, prepare=direction, claim=STEERED)
async def entropic_activation_steering(
    problem: Problem, mind: Mind, steering: Artifact, *, beta: float = 0.1, k: Count = 8
) -> Answer:
    """The commonest of k thoughts written while β · v is added to a hidden state of every new token.

    Rule: v = Σ w_i h_i − mean h over decisions i, h_i the unit state at the question's end, w_i = H_i / ΣH the entropy of
    its answers; scaled to the mean length of a state. β > 0 makes decisions more scattered, β < 0 more alike, β = 0 is
    self-consistency. Confidence is the share of the votes. Source: S372 "Controlling Large Language Model Agents with
    Entropic Activation Steering". Left open and filled: the weighted sum is taken relative to the plain mean, so that
    what all questions share cancels out; layer the middle one.
    """
    steer = None if beta == 0 else (int(steering.data["layer"]), tuple(beta * x for x in steering.data["vector"]))
    return plurality(problem, mind, await mind.think(problem, n=k, steer=steer))


@study("S372", "east", needs={"hidden"}, acts={"think"}, claim=DOSE)
async def dose(
    mind: Mind | None, *, seed: int = 0, n: Count = 60, samples: int = 8, betas: Sequence[float] = BETAS, layer: int | None = None
) -> dict[str, Any]:  # fmt: skip
    """How the entropy of answers moves with β, along v and along two controls: shuffled weights and a random direction.

    v is made on n development problems and tried on n test problems. Returns `entropy_slope`, the least-squares slope of
    mean entropy (nats) on β along v, its `baseline` along the shuffled direction, and for each direction the whole curve
    with accuracy and Spearman correlation.
    Raises CapabilityError without a model. Source: S372 "Controlling Large Language Model Agents with Entropic Activation
    Steering".
    """
    if mind is None:
        raise CapabilityError("a model", "this study", ["--model socrates"])
    from nosce.tasks.bundled import draw_problems

    rng = np.random.default_rng(seed)
    states, entropies = await _measured(draw_problems(n=n, seed=seed, part="dev"), mind, samples)
    at = states.shape[1] // 2 if layer is None else layer
    v = entropy_direction(states[:, at], entropies)
    random = rng.normal(size=len(v))
    directions = {
        "entropy": v,
        "shuffled": entropy_direction(states[:, at], rng.permutation(entropies)),
        "random": random / np.linalg.norm(random) * np.linalg.norm(v),
    }
    asked = draw_problems(n=n, seed=seed)
    found = {name: [await _tried(asked, mind, at, beta * x, samples) for beta in betas] for name, x in directions.items()}
    curves = {name: curve(betas, rows) for name, rows in found.items()}
    return {
        "layer": at, "betas": list(betas), "seed": seed, "n": n, **curves,
        "entropy_slope": curves["entropy"]["slope"], "baseline": curves["shuffled"]["slope"],
    }  # fmt: skip


def curve(betas: Sequence[float], rows: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Entropy and accuracy per β, the least-squares slope of entropy on β, and their Spearman correlation."""
    from scipy import stats

    entropy = [row[0] for row in rows]
    rank = 0.0 if np.ptp(entropy) == 0 else float(stats.spearmanr(betas, entropy).statistic)
    slope = float(np.polyfit(betas, entropy, 1)[0])
    return {"entropy": entropy, "accuracy": [row[1] for row in rows], "slope": slope, "spearman": rank}


async def _measured(problems: Sequence[Problem], mind: Mind, samples: int) -> tuple[Any, Any]:
    """States [N, layers + 1, d] and entropies [N] of the problems that the model can read."""
    drawn = await each(mind.think(problem, n=samples) for problem in problems)
    rows = [(problem, attempts) for problem, attempts in zip(problems, drawn, strict=True) if attempts]
    states = [question_state(problem, mind) for problem, _ in rows]
    return np.stack(states), np.array([_entropy(problem, attempts) for problem, attempts in rows])


async def _tried(problems: Sequence[Problem], mind: Mind, layer: int, vector: Any, samples: int) -> tuple[float, float]:
    """Mean entropy of the answers and mean accuracy under a vector."""
    steer = (layer, tuple(vector.tolist()))
    drawn = await each(mind.think(problem, n=samples, steer=steer) for problem in problems)
    rows = [(problem, attempts) for problem, attempts in zip(problems, drawn, strict=True) if attempts]
    right = [problem.check(attempt.answer) for problem, attempts in rows for attempt in attempts]
    return float(np.mean([_entropy(*row) for row in rows])), float(np.mean(right))


def _entropy(problem: Problem, attempts: Sequence[Attempt]) -> float:
    """Entropy of the answers; the attempts without one count together as one answer."""
    silent = sum(attempt.answer is None for attempt in attempts)
    return vote_entropy([*counts(problem, attempts), *([silent] if silent else [])])
