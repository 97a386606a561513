"""Shifting attention to relevance: tokens that carry the meaning count, and samples that many others resemble."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import ANY, NOT_NEGATIVE, measure
from nosce.monitor.statistics import Floats, Statistics


@measure("token-sar", needs={"logprobs", "pieces"}, uncertainty=NOT_NEGATIVE)
def token_sar(stats: Statistics) -> float:
    """Mean −log p of the attempt's tokens, each weighted by how much the text changes without it.

    Rule: −Σ_t log p_t · R_t/ΣR, R_t = 1 − similarity(text, text without token t). An uncertainty in [0, ∞).
    lm-polygraph's TokenSAR.
    """
    return -float(stats.relevant_logprobs[0])


@measure("sentence-sar", needs={"samples", "sample_logprobs"}, uncertainty=ANY)
def sentence_sar(stats: Statistics, *, temperature: float = 0.001) -> float:
    """Mean over samples of −log of their probability plus that of the others, as far as they are alike.

    Rule: −mean_i log(p_i + Σ_{j≠i} p_j s_ij/t). An uncertainty in (−∞, ∞). lm-polygraph's SentenceSAR.
    """
    return _shared(stats, stats.sequence_logprobs[stats.start :], temperature)


@measure("sar", needs={"samples", "sample_logprobs", "pieces"}, uncertainty=ANY)
def sar(stats: Statistics, *, temperature: float = 0.001) -> float:
    """Mean over samples of −log of their relevant probability plus that of the others, as far as they are alike.

    Rule: `sentence-sar` with probabilities whose tokens are weighted as in `token-sar`. An uncertainty in (−∞, ∞).
    lm-polygraph's SAR.
    """
    return _shared(stats, stats.relevant_logprobs[stats.start :], temperature)


def _shared(stats: Statistics, logprobs: Floats, temperature: float) -> float:
    """−mean_i log(p_i + Σ_{j≠i} p_j s_ij/t), each row from its own peak so that long samples do not vanish."""
    weights = np.maximum(stats.alike[stats.start :, stats.start :], 0.0) / temperature
    np.fill_diagonal(weights, 1.0)
    with np.errstate(divide="ignore"):
        terms = np.log(weights) + logprobs  # [n, n], −∞ where two samples have nothing in common
    peak = terms.max(axis=1, keepdims=True)
    return -float((peak[:, 0] + np.log(np.exp(terms - peak).sum(axis=1))).mean())
