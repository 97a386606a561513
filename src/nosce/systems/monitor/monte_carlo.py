"""How likely the samples are, on average: the entropy of what the model would say, by Monte Carlo."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import NOT_NEGATIVE, measure
from nosce.monitor.statistics import Floats, Statistics


@measure("monte-carlo-sequence-entropy", needs={"samples", "sample_logprobs"}, uncertainty=NOT_NEGATIVE)
def monte_carlo_sequence_entropy(stats: Statistics) -> float:
    """Entropy of the distribution over whole attempts, −mean_i log p(sample_i), in nats.

    An uncertainty in [0, ∞). lm-polygraph's MonteCarloSequenceEntropy.
    """
    return -float(stats.sequence_logprobs[stats.start :].mean())


@measure("monte-carlo-normalized-sequence-entropy", needs={"samples", "sample_logprobs"}, uncertainty=NOT_NEGATIVE)
def monte_carlo_normalized_sequence_entropy(stats: Statistics) -> float:
    """Entropy of the distribution over whole attempts per token, −mean_i log p(sample_i)/length_i, in nats.

    An uncertainty in [0, ∞). lm-polygraph's MonteCarloNormalizedSequenceEntropy.
    """
    return -float(_per_token(stats).mean())


@measure("monte-carlo-probability", needs={"samples", "sample_logprobs"})
def monte_carlo_probability(stats: Statistics) -> float:
    """Mean length-normalised probability of the samples, mean_i exp(log p(sample_i)/length_i).

    In [0, 1], higher is surer. uqlm's monte_carlo_probability.
    """
    return float(np.exp(np.minimum(_per_token(stats), 0.0)).mean())


def _per_token(stats: Statistics) -> Floats:
    return np.asarray((stats.sequence_logprobs / stats.lengths)[stats.start :])
