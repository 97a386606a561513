"""How likely the attempt was, read off the probabilities of its tokens."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics


@measure("sequence-probability", needs={"logprobs"})
def sequence_probability(stats: Statistics) -> float:
    """Probability of the whole attempt, exp(Σ log p).

    In [0, 1], higher is surer; falls with length. lm-polygraph's MaximumSequenceProbability is −Σ log p; uqlm's
    sequence_probability with length_normalize=False.
    """
    return float(np.exp(stats.logprobs.sum()))
