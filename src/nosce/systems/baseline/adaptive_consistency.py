"""Stop voting when the vote is settled."""

from typing import Literal

from nosce.control.stopping import beta_majority, dirichlet_majority
from nosce.control.voting import counts, plurality
from nosce.core.answer import Answer
from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.registry import strategy
from nosce.mind.mind import Mind


@strategy("adaptive-consistency", "adaptive-consistency", acts={"think"})
async def adaptive_consistency(
    problem: Problem, mind: Mind, *, most: int = 16, least: int = 2, settled: float = 0.95,
    rule: Literal["beta", "dirichlet"] = "beta",
) -> Answer:  # fmt: skip
    """One vote at a time, until the leader's lead is settled with posterior probability `settled`, or `most` votes.

    Rule `beta`: P(p > ½) of leader against runner-up; `dirichlet`: P(leader is the most likely of all answers seen).
    """
    attempts: list[Attempt] = await mind.think(problem, n=least)
    while len(attempts) < most:
        votes = counts(problem, attempts)
        lead = _posterior(votes, rule)
        if lead >= settled:
            mind.decide("stop", "the vote is settled", posterior=round(lead, 4), votes=len(attempts))
            break
        plurality(problem, mind, attempts)
        attempts += await mind.think(problem)
    return plurality(problem, mind, attempts)


def _posterior(votes: list[int], rule: Literal["beta", "dirichlet"]) -> float:
    if not votes:
        return 0.0
    return beta_majority(votes[0], votes[1] if len(votes) > 1 else 0) if rule == "beta" else dirichlet_majority([*votes, 0])
