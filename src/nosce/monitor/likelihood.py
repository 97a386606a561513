"""Confidence read off the likelihood of an attempt."""

from __future__ import annotations

import math

from nosce.core.attempt import Attempt


def sequence_confidence(attempt: Attempt) -> float | None:
    """Length-normalised sequence likelihood exp(mean log p), in (0, 1], higher is surer; None without log-probabilities."""
    mean = attempt.mean_logprob
    return None if mean is None else min(1.0, math.exp(mean))


def weakest_token(attempt: Attempt) -> float | None:
    """Smallest token probability of the attempt, in (0, 1]; None without log-probabilities."""
    return min(1.0, math.exp(min(attempt.logprobs))) if attempt.logprobs else None
