"""How alike the samples are in their words."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics


@measure("lexical-similarity", needs={"samples"})
def lexical_similarity(stats: Statistics) -> float:
    """Mean ROUGE-L F-measure over all pairs of samples.

    In [0, 1], higher is surer. lm-polygraph's LexicalSimilarity(rougeL) is its negative.
    """
    alike = stats.rouge[stats.start :, stats.start :]
    return float(alike[np.triu_indices(len(alike), 1)].mean())
