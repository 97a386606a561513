"""One piece of generated thought."""

from __future__ import annotations

from dataclasses import dataclass, field

from nosce.core.cost import Cost


@dataclass(frozen=True, slots=True)
class Attempt:
    """A thought and the answer read out of it.

    `logprobs` and `entropies` are per generated token, in nats, under the model at temperature 1 before any bias
    (None where the model gives none); `top` holds, per token, the most likely alternatives with their log-probabilities.
    `id` is the node of the trace, `parent` the node it continues or revises, `draw` its index among the draws of the
    same prompt: votes count in draw order, not in order of completion.
    """

    id: str
    text: str
    answer: str | None
    act: str = "think"
    role: str = "main"
    parent: str | None = None
    draw: int = 0
    finish: str = "stop"
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] | None = None
    entropies: tuple[float, ...] | None = None
    top: tuple[tuple[tuple[str, float], ...], ...] | None = None
    cost: Cost = field(default_factory=Cost)

    @property
    def logprob(self) -> float | None:
        """Sum of the token log-probabilities, or None without them."""
        return None if not self.logprobs else float(sum(self.logprobs))

    @property
    def mean_logprob(self) -> float | None:
        """Mean token log-probability (the log of the length-normalised likelihood), or None without them."""
        return None if not self.logprobs else float(sum(self.logprobs)) / len(self.logprobs)
