"""Stop voting when the vote is settled."""

from collections.abc import Sequence
from typing import Literal

from nosce.control.stopping import beta_majority, dirichlet_majority
from nosce.control.voting import plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.count import Count
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.core.vote import tally
from nosce.mind.mind import Mind
from nosce.monitor.likelihood import sequence_confidence


@strategy("adaptive-consistency", "adaptive-consistency", acts={"think"})
async def adaptive_consistency(
    problem: Problem, mind: Mind, *, most: Count = 16, least: Count = 2, window: Count = 1, settled: float = 0.95,
    rule: Literal["beta", "dirichlet"] = "beta", weigh: bool = False,
) -> Answer:  # fmt: skip
    """Votes in windows, until the leader's lead is settled with posterior probability `settled`, or `most` votes.

    Rule `beta`: P(p > ½) of leader against runner-up; `dirichlet`: P(leader is the most likely of all answers seen). With
    `weigh` a vote counts as much as its length-normalised likelihood, where the model gives one. A larger `window` pays for
    the prompt less often.
    """
    attempts: list[Attempt] = await mind.think(problem, n=min(least, most))
    while len(attempts) < most:
        votes = _votes(problem, attempts, _weights(attempts) if weigh else None)
        lead = _posterior(votes, rule)
        if lead >= settled:
            mind.decide("stop", "the vote is settled", posterior=round(lead, 4), votes=len(attempts))
            break
        plurality(problem, mind, attempts)
        attempts += await mind.think(problem, n=min(window, most - len(attempts)))
    return plurality(problem, mind, attempts, _weights(attempts) if weigh else None)


def _weights(attempts: Sequence[Attempt]) -> list[float]:
    return [1.0 if (known := sequence_confidence(attempt)) is None else known for attempt in attempts]


def _votes(problem: Problem, attempts: Sequence[Attempt], weights: Sequence[float] | None) -> list[float]:
    return [bloc.weight for bloc in tally(problem, [attempt.answer for attempt in attempts], weights)]


def _posterior(votes: Sequence[float], rule: Literal["beta", "dirichlet"]) -> float:
    if not votes:
        return 0.0
    return beta_majority(votes[0], votes[1] if len(votes) > 1 else 0) if rule == "beta" else dirichlet_majority([*votes, 0])
