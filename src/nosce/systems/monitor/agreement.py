"""How well the other samples agree with the attempt, text by text; and that agreement joined with its likelihood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log

import numpy as np

from nosce.core.count import Count
from nosce.core.errors import InputError
from nosce.monitor.equivalence import CONTRADICTION, ENTAILMENT
from nosce.monitor.measure import NOT_NEGATIVE, measure
from nosce.monitor.statistics import Floats, Statistics


@measure("lexical-similarity", needs={"samples"})
def lexical_similarity(stats: Statistics) -> float:
    """Mean ROUGE-L F-measure over all pairs of samples.

    In [0, 1], higher is surer. lm-polygraph's LexicalSimilarity(rougeL) is its negative, on word stems.
    """
    alike = stats.rouge[stats.start :, stats.start :]
    n = len(alike)
    return float((alike.sum() - np.trace(alike)) / (n * (n - 1)))


@measure("exact-match", needs={"samples"})
def exact_match(stats: Statistics) -> float:
    """Share of the other attempts with the very same text.

    In [0, 1], higher is surer. uqlm's exact_match.
    """
    first, *others = stats.texts
    return float(np.mean([text == first for text in others]))


@measure("cosine-similarity", needs={"samples"})
def cosine_similarity(stats: Statistics) -> float:
    """Mean of ½ + ½·cosine between the attempt and the other attempts.

    In [0, 1], higher is surer. uqlm's cosine_sim.
    """
    return 0.5 + float(stats.alike[0, 1:].mean()) / 2


@measure("noncontradiction", needs={"samples", "nli"})
def noncontradiction(stats: Statistics) -> float:
    """Mean probability, over both directions, that another attempt does not contradict the attempt.

    In [0, 1], higher is surer. uqlm's noncontradiction.
    """
    return 1 - _both_ways(stats, CONTRADICTION)


@measure("entailment", needs={"samples", "nli"})
def entailment(stats: Statistics) -> float:
    """Mean probability, over both directions, that another attempt and the attempt entail each other.

    In [0, 1], higher is surer. uqlm's entailment.
    """
    return _both_ways(stats, ENTAILMENT)


def _both_ways(stats: Statistics, label: int) -> float:
    found = stats.entailment[..., label]
    return float((found[0, 1:] + found[1:, 0]).mean() / 2)


@measure("consistency-and-confidence", needs={"samples", "logprobs"})
def consistency_and_confidence(stats: Statistics) -> float:
    """`cosine-similarity` times the geometric mean of the attempt's token probabilities.

    In [0, 1], higher is surer. uqlm's consistency_and_confidence.
    """
    return (0.5 + float(stats.alike[0, 1:].mean()) / 2) * exp(min(0.0, stats.logprobs.mean()))


@measure("cocoa-msp", needs={"samples", "logprobs"}, uncertainty=NOT_NEGATIVE)
def cocoa_msp(stats: Statistics) -> float:
    """−log of the attempt's probability times how unlike the others are, −Σ log p · mean(1 − similarity).

    An uncertainty in [0, ∞). lm-polygraph's CocoaMSP.
    """
    return -float(stats.logprobs.sum()) * _unlike(stats)


@measure("cocoa-ppl", needs={"samples", "logprobs"}, uncertainty=NOT_NEGATIVE)
def cocoa_ppl(stats: Statistics) -> float:
    """−log of the attempt's probability per token times how unlike the others are, −mean log p · mean(1 − similarity).

    An uncertainty in [0, ∞). lm-polygraph's CocoaPPL.
    """
    return -float(stats.logprobs.mean()) * _unlike(stats)


@measure("cocoa-mte", needs={"samples", "entropies"}, uncertainty=NOT_NEGATIVE)
def cocoa_mte(stats: Statistics) -> float:
    """Mean token entropy times how unlike the others are.

    An uncertainty in [0, ∞). lm-polygraph's CocoaMTE.
    """
    return float(stats.entropies.mean()) * _unlike(stats)


def _unlike(stats: Statistics) -> float:
    return float(np.maximum(1 - stats.alike[0, 1:], 0.0).mean())


@measure("selfcheck-ngram", needs={"samples"}, uncertainty=NOT_NEGATIVE)
def selfcheck_ngram(stats: Statistics, *, n: Count = 1, smoothing: float = 0.0) -> float:
    """Mean −log probability of the attempt's words under an n-gram model of all attempts.

    An uncertainty in [0, ∞), in nats. The attempt's own words are counted too, so none has probability 0; `smoothing` is
    added to every count. SelfCheckGPT's n-gram variant (average).
    """
    return float(_surprise(stats, n, smoothing).mean())


@measure("selfcheck-ngram-max", needs={"samples"}, uncertainty=NOT_NEGATIVE)
def selfcheck_ngram_max(stats: Statistics, *, n: Count = 1, smoothing: float = 0.0) -> float:
    """−log probability of the attempt's most surprising word under an n-gram model of all attempts.

    An uncertainty in [0, ∞), in nats; the model is that of `selfcheck-ngram`. SelfCheckGPT's n-gram variant (maximum), the
    attempt taken as one sentence.
    """
    return float(_surprise(stats, n, smoothing).max())


def _surprise(stats: Statistics, n: int, smoothing: float) -> Floats:
    """−log P of each word of the attempt given the n − 1 before it."""
    if n < 1 or smoothing < 0:
        raise InputError(f"selfcheck-ngram: n={n}, smoothing={smoothing}; expected n ≥ 1 and smoothing ≥ 0")
    split = [["<s>"] * (n - 1) + text.lower().split() for text in stats.texts]
    grams = [[tuple(words[i - n + 1 : i + 1]) for i in range(n - 1, len(words))] for words in split]
    count = Counter(gram for row in grams for gram in row)
    heads = Counter[Sequence[str]]()
    for gram, times in count.items():
        heads[gram[:-1]] += times
    known = len({gram[-1] for gram in count})
    found = [log(heads[gram[:-1]] + smoothing * known) - log(count[gram] + smoothing) for gram in grams[0]]
    return np.array(found or [0.0])
