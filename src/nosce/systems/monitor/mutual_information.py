"""How much the question raised the probability of the answer."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import ANY, measure
from nosce.monitor.statistics import Statistics


@measure("pointwise-mutual-information", needs={"logprobs", "prior"}, uncertainty=ANY)
def pointwise_mutual_information(stats: Statistics) -> float:
    """Minus the mean pointwise mutual information of tokens and question, −mean_t [log p(y_t | x, y_<t) − log p(y_t | y_<t)].

    An uncertainty in (−∞, ∞): what would have been said without the question too is not known because of it. lm-polygraph's
    MeanPointwiseMutualInformation, which knows no prior for the first token and takes 0.
    """
    return -float((stats.logprobs - _prior(stats)).mean())


@measure("conditional-pointwise-mutual-information", needs={"logprobs", "prior", "entropies"}, uncertainty=ANY)
def conditional_pointwise_mutual_information(stats: Statistics, *, tau: float = 0.0656, weight: float = 3.599) -> float:
    """Minus the mean of log p(y_t | x, y_<t) − λ·1[H_t ≥ τ]·log p(y_t | y_<t): the prior counts where the model hesitated.

    An uncertainty in (−∞, ∞). `tau` in nats and `weight` λ as lm-polygraph's MeanConditionalPointwiseMutualInformation has them.
    """
    return -float((stats.logprobs - weight * (stats.entropies >= tau) * _prior(stats)).mean())


def _prior(stats: Statistics) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(0) if stats.prior is None else stats.prior
