"""How likely the attempt was, read off the probabilities of its tokens."""

from __future__ import annotations

from math import exp, inf

import numpy as np

from nosce.core.signal import vanishing
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics


@measure("sequence-probability", needs={"logprobs"})
def sequence_probability(stats: Statistics) -> float:
    """Probability of the whole attempt, exp(Σ log p).

    In [0, 1], higher is surer; falls with length. lm-polygraph's MaximumSequenceProbability is −Σ log p; uqlm's
    sequence_probability without length normalisation.
    """
    return vanishing(-float(stats.logprobs.sum()))


@measure("length-normalized-probability", needs={"logprobs"})
def length_normalized_probability(stats: Statistics) -> float:
    """Geometric mean of the token probabilities, exp(mean log p).

    In [0, 1], higher is surer. uqlm's sequence_probability; lm-polygraph's Perplexity is −mean log p.
    """
    return exp(min(0.0, stats.logprobs.mean()))


@measure("perplexity", needs={"logprobs"}, uncertainty=(1.0, inf))
def perplexity(stats: Statistics) -> float:
    """Perplexity of the attempt, exp(−mean log p): how many tokens the model hesitated between, on average.

    An uncertainty in [1, ∞). lm-polygraph's Perplexity is its logarithm.
    """
    return exp(min(700.0, -min(0.0, stats.logprobs.mean())))


@measure("min-token-probability", needs={"logprobs"})
def min_token_probability(stats: Statistics) -> float:
    """Probability of the least likely token.

    In [0, 1], higher is surer. uqlm's min_probability.
    """
    return exp(min(0.0, stats.logprobs.min()))


@measure("mean-token-probability", needs={"logprobs"})
def mean_token_probability(stats: Statistics) -> float:
    """Arithmetic mean of the token probabilities.

    In [0, 1], higher is surer; never below the geometric mean.
    """
    return float(np.exp(np.minimum(stats.logprobs, 0.0)).mean())
