"""How much the question raised the probability of the answer."""

from __future__ import annotations

import numpy as np

from nosce.monitor.measure import ANY, measure
from nosce.monitor.statistics import Statistics


@measure("pointwise-mutual-information", needs={"logprobs", "prior"}, uncertainty=ANY)
def pointwise_mutual_information(stats: Statistics) -> float:
    """Minus the mean pointwise mutual information of tokens and question, −mean_t [log p(y_t | x, y_<t) − log p(y_t | y_<t)].

    An uncertainty in (−∞, ∞): what would have been said without the question too is not known because of it. lm-polygraph's
    MeanPointwiseMutualInformation, which knows no prior for the first token and takes 0. It tells what comes from the question,
    which is not what is right: in the bundled model the priors lie nats apart by kind of question and the log-probabilities
    hundredths, so the difference ranks kinds of questions and its AUROC2 stays at chance.
    """
    return -float((stats.logprobs - _prior(stats)).mean())


@measure("conditional-pointwise-mutual-information", needs={"logprobs", "prior", "entropies"}, uncertainty=ANY)
def conditional_pointwise_mutual_information(stats: Statistics, *, tau: float = 3.5987, weight: float = 0.0656) -> float:
    """Minus the mean of log p(y_t | x, y_<t) − λ·1[H_t ≥ τ]·log p(y_t | y_<t): the prior counts where the model hesitated.

    An uncertainty in (−∞, ∞). `tau` (nats) and `weight` λ are those found for BART by the authors of the rule (van der Poel,
    Cotterell and Meister 2022, "Mutual Information Alleviates Hallucinations in Abstractive Summarization"). lm-polygraph's
    MeanConditionalPointwiseMutualInformation has the two numbers exchanged by default; so the prior counts 3.6-fold at every
    slight hesitation, and whatever hesitates often looks sure (the wrong way round on the bundled model). A vocabulary as
    small as the bundled model's never reaches 3.6 nats: there the signal is the mean log-probability, unless a lower `tau` is
    given.
    """
    return -float((stats.logprobs - weight * (stats.entropies >= tau) * _prior(stats)).mean())


def _prior(stats: Statistics) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(0) if stats.prior is None else stats.prior
