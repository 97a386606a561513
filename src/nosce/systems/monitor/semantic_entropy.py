"""How many different things the samples say, and how evenly they are spread over them."""

from __future__ import annotations

from math import inf, log

import numpy as np

from nosce.monitor.measure import measure
from nosce.monitor.statistics import Floats, Statistics, plogp


def _nats(stats: Statistics) -> tuple[float, float]:
    return 0.0, log(max(2, len(stats.samples)))


@measure("discrete-semantic-entropy", needs={"samples"}, uncertainty=_nats)
def discrete_semantic_entropy(stats: Statistics) -> float:
    """Entropy of the classes that the samples fall into, −Σ (n_c/n) log(n_c/n).

    An uncertainty in [0, log n], in nats; its map to [0, 1], 1 − H/log n, is uqlm's semantic_negentropy of a black box;
    lm-polygraph's SemanticEntropyEmpirical.
    """
    return float(plogp(stats.sizes / stats.sizes.sum()))


def _unnormalised(stats: Statistics) -> tuple[float, float]:
    return -log(max(1, len(stats.samples))), inf


@measure("semantic-entropy", needs={"samples", "sample_logprobs"}, uncertainty=_unnormalised)
def semantic_entropy(stats: Statistics) -> float:
    """Mean over samples of −log of their class's probability, the sum of its samples' probabilities.

    An uncertainty in [−log n, ∞), in nats: repeated samples are counted again, as the Monte-Carlo estimate has it. lm-polygraph's
    SemanticEntropy.
    """
    totals = _class_logprobs(stats, stats.sequence_logprobs[stats.start :])
    return -float(totals[stats.members].mean())


@measure("semantic-negentropy", needs={"samples", "sample_logprobs"})
def semantic_negentropy(stats: Statistics, *, per_token: bool = True) -> float:
    """1 − H/log n, H the entropy of the classes with probabilities made to sum to 1 over the samples.

    In [0, 1], higher is surer. Probabilities are length-normalised where `per_token`. uqlm's semantic_negentropy with
    log-probabilities.
    """
    logprobs = stats.sequence_logprobs / stats.lengths if per_token else stats.sequence_logprobs
    totals = _class_logprobs(stats, logprobs[stats.start :])
    p = np.exp(totals - totals.max())
    return 1 - float(plogp(p / p.sum())) / log(len(stats.samples))


@measure("number-of-semantic-sets", needs={"samples"}, uncertainty=lambda stats: (1.0, float(len(stats.samples))))
def number_of_semantic_sets(stats: Statistics) -> float:
    """How many different things the samples say.

    An uncertainty in [1, n]; its map to [0, 1], (n − sets)/(n − 1), is uqlm's semantic_sets_confidence. lm-polygraph's
    NumSemSets with classes by `monitor.equivalence.tied`.
    """
    return float(len(stats.sizes))


@measure("self-consistency-share", needs={"samples"})
def self_consistency_share(stats: Statistics) -> float:
    """Share of the samples that say what the attempt says.

    In [0, 1], higher is surer. The attempt is itself one of the samples unless it stands apart; one without an answer agrees with
    no other.
    """
    return float(np.mean(stats.classes[stats.start :] == stats.classes[0]))


def _class_logprobs(stats: Statistics, logprobs: Floats) -> Floats:
    """Log of the summed probability of each class, in order of appearance; each from its own peak, so that none vanishes."""
    place = stats.members
    peak = np.full(place.max() + 1, -np.inf)
    np.maximum.at(peak, place, logprobs)
    return np.asarray(peak + np.log(np.bincount(place, np.exp(logprobs - peak[place]))))
