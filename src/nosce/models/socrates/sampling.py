"""Choosing the next token of many rows at once, each from its own random stream.

The number drawn for a row depends on its key and its step alone, not on what else is in the batch. It is turned into a
token by the inverse of the cumulative distribution, summed in float64, so a token changes between batch sizes only
where the draw falls within rounding error of a boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError
from nosce.models.socrates.network import Floats, Ids, log_softmax

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def scramble(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The SplitMix64 finaliser: a bijection of 64-bit integers whose every output bit depends on every input bit."""
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))


def stream(key: int) -> np.uint64:
    """Where the random stream of an integer key begins."""
    return np.uint64(scramble(np.array([key & (1 << 64) - 1], dtype=np.uint64))[0])


def uniforms(streams: NDArray[np.uint64] | np.uint64, steps: Ids) -> NDArray[np.float64]:
    """One number in [0, 1) for each pair of stream and step (broadcast): SplitMix64 with a counter, top 53 bits."""
    bits = scramble(streams + (steps.astype(np.uint64) + np.uint64(1)) * _WEYL)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True, slots=True)
class Distribution:
    """Softmax of logits [B, V], unnormalised: weights = exp(logits − largest), log_total = log Σ weights."""

    shifted: Floats
    weights: Floats
    log_total: Floats

    @classmethod
    def of(cls, logits: Floats) -> Distribution:
        """Softmax over the last axis."""
        shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
        weights: Floats = np.exp(shifted)
        return cls(shifted, weights, np.log(np.add.reduce(weights, axis=-1)))

    def logprobs(self, tokens: Ids) -> Floats:
        """log p [B] of one token a row, in nats."""
        found: Floats = self.shifted[np.arange(len(tokens)), tokens] - self.log_total
        return found

    def entropies(self) -> Floats:
        """Shannon entropy [B] in nats: log_total − Σ p · shifted."""
        found: Floats = self.log_total - np.vecdot(self.weights, self.shifted) * np.exp(-self.log_total)
        return np.maximum(found, 0, out=found)


def likeliest(logits: Floats, count: int) -> tuple[list[int], list[float]]:
    """The `count` likeliest tokens of logits [V], likeliest first (ties by id), and their log-probabilities in nats."""
    logprobs = log_softmax(logits)
    ids = np.argsort(-logprobs, kind="stable")[:count]
    return ids.tolist(), logprobs[ids].tolist()


def choose(weights: Floats, draws: NDArray[np.float64]) -> Ids:
    """Token [B] at which the running sum of `weights` [B, V] first exceeds draw × total; weight 0 is never chosen."""
    running = np.add.accumulate(weights, axis=-1, dtype=np.float64)
    found: Ids = (running > (draws * running[:, -1])[:, None]).argmax(axis=-1)  # draw × total < total for draws < 1
    return found


def tempered(logits: Floats, temperature: Floats) -> Floats:
    """Softmax weights [B, V] of logits / temperature [B]; temperature 0 puts all weight on the first largest logit."""
    peak = np.maximum.reduce(logits, axis=-1, keepdims=True)
    if not np.isfinite(peak).all():
        raise InputError("a bias forbids every token (or is not a number); leave at least one token a finite logit")
    greedy = temperature <= 0
    weights: Floats = np.exp((logits - peak) / np.where(greedy, np.float32(1), temperature)[:, None])
    if greedy.any():
        weights[greedy] = 0
        weights[greedy, logits[greedy].argmax(axis=-1)] = 1
    return weights


def nucleus(weights: Floats, top_p: Floats) -> Floats:
    """Weights [B, V] outside the smallest set of likeliest tokens that holds `top_p` [B] of the mass set to 0."""
    order = np.argsort(-weights, axis=-1, kind="stable")
    ranked = np.take_along_axis(weights, order, axis=-1)
    before = np.cumsum(ranked, axis=-1, dtype=np.float64) - ranked
    ranked[before >= top_p[:, None] * weights.sum(axis=-1, dtype=np.float64)[:, None]] = 0
    kept = np.empty_like(weights)
    np.put_along_axis(kept, order, ranked, axis=-1)
    return kept
