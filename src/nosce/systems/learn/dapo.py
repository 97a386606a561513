"""DAPO: decoupled clip and dynamic sampling."""

from __future__ import annotations

from functools import partial

from nosce.core.claim import Claim
from nosce.core.registry import recipe
from nosce.learn.admission import mixed
from nosce.learn.credit import per_group, standardised
from nosce.learn.losses import streams
from nosce.learn.recipe import Recipe, Settings
from nosce.learn.rewards import each, outcome
from nosce.learn.rollout import Rollout

CLAIM = Claim(
    statement="With as many rollout tokens, DAPO ends with more right answers than GRPO.",
    endpoint="accuracy", baseline="grpo", fidelity="paper", seeds=(0, 1, 2),
)  # fmt: skip


@recipe("dapo", "dapo", family="learn", claim=CLAIM)
def dapo(*, low: float = 0.2, high: float = 0.28, most: int = 120, buffer: int = 24) -> Recipe:
    """GRPO with four changes: a wider upper clip, dynamic sampling, a mean over all tokens, a soft penalty on length.

    Groups whose raw outcomes are all equal are dropped and others drawn in their place (up to three rounds a step). The
    penalty is 0 up to `most` − `buffer` tokens, then falls linearly to −1 at `most`.
    """
    return Recipe(
        reward=each(outcome=outcome, overlong=partial(overlong, most=most, buffer=buffer)), credit=per_group(standardised),
        admit=mixed, loss=partial(streams, low=low, high=high, over="token"), settings=Settings(rounds=3),
        golden={"lengths": [96, 108, 120, 200], "penalties": [0.0, -0.5, -1.0, -1.0]},
    )  # fmt: skip


def overlong(rollout: Rollout, *, most: int, buffer: int) -> float:
    """The soft penalty on length, in [−1, 0]."""
    return -min(1.0, max(0.0, (rollout.length - (most - buffer)) / buffer))
