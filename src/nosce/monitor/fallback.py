"""What to use in place of an estimator that a model does not give enough for, and what that costs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nosce.monitor.statistics import NEEDS

ATTEMPTS = 5
"""How many attempts an estimator of samples looks at unless told otherwise."""

OF_TOKENS = "length-normalized-probability"
INSTEAD = {
    "nli": "cosine-similarity",
    "entails": OF_TOKENS,
    "layers": OF_TOKENS,
    "prior": OF_TOKENS,
    "pieces": OF_TOKENS,
    "top": OF_TOKENS,
    "entropies": OF_TOKENS,
    "logprobs": "self-consistency-share",
    "sample_logprobs": "discrete-semantic-entropy",
}
"""By what is lacking, the estimator that measures nearest to it; the first that applies, in this order."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """Another estimator, why it stands in, and how many attempts a question it looks at."""

    name: str
    lacking: str
    attempts: int

    def __str__(self) -> str:
        more = f"{self.attempts} attempts a question" if self.attempts > 1 else "no further cost"
        return f"{self.name} ({more})"


def fallback(needs: Collection[str], has: Collection[str]) -> Fallback | None:
    """What stands in for an estimator that needs `needs` where only `has` (of statistics.NEEDS) is to be had.

    None when nothing is lacking. Samples can always be drawn, so they do not count as lacking: without token log-probabilities
    a signal of one attempt becomes one of ATTEMPTS, and costs as many times the tokens.
    """
    there = {*has, "samples"}
    lacking = next((need for need in INSTEAD if need in needs and need not in there), None)
    if lacking is None:
        return None
    by_token = INSTEAD[lacking] == OF_TOKENS and "logprobs" not in there
    name = INSTEAD["logprobs"] if by_token else INSTEAD[lacking]
    return Fallback(name, NEEDS[lacking], 1 if name == OF_TOKENS else ATTEMPTS)
