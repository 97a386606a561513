"""How many different things the samples say, and how evenly they are spread over them."""

from __future__ import annotations

from math import log

from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics, plogp


@measure("discrete-semantic-entropy", needs={"samples"}, uncertainty=lambda stats: (0.0, log(max(2, len(stats.samples)))))
def discrete_semantic_entropy(stats: Statistics) -> float:
    """Entropy of the classes that the samples fall into, −Σ (n_c/n) log(n_c/n).

    An uncertainty in [0, log n], in nats; its map to [0, 1], 1 − H/log n, is uqlm's semantic_negentropy with
    class shares in place of probabilities.
    """
    return float(plogp(stats.sizes / stats.sizes.sum()))
