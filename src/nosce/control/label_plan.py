"""How many labels a promise needs before they are bought: by how many errors they may hold, and by how good the model is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nosce.control.risk import labels_needed, plan_labels
from nosce.metrics.checks import share

TWO_FIFTHS = 0.4  # of the labelled questions fit the calibrator and place the thresholds; the rest is tested


@dataclass(frozen=True)
class Useful:
    """Labels in all so that a promise is made with probability 0.8: `risk` wrong among the answered, a `coverage` answered.

    `tested` answered and tested labels carry it; `labels` is how many to collect, None where no number would do.
    """

    risk: float
    tested: int | None
    labels: int | None


@dataclass(frozen=True)
class LabelPlan:
    """What a promise of `alpha` at 1 − `delta` asks for.

    `allowed[k]` is the least number of answered, tested labels that carry it with k errors among them; `useful` says how many
    labels to collect for an expected error rate at an expected `coverage`.
    """

    alpha: float
    delta: float
    coverage: float
    allowed: tuple[int, ...]
    useful: tuple[Useful, ...]

    @property
    def least(self) -> int:
        """Answered labels, all right: fewer promise nothing, whatever the model."""
        return self.allowed[0]


def labels_with_errors(alpha: float, delta: float = 0.05, errors: int = 0) -> int:
    """The least n with P(Binomial(n, α) <= errors) <= δ: so many answered labels carry the promise with these errors.

    59, 93, 124 for 0, 1, 2 errors at 5% and 95%.
    """
    from scipy import special

    low, high = errors, max(labels_needed(alpha, delta), errors + 1)
    while special.bdtr(errors, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if special.bdtr(errors, middle, alpha) <= delta else (middle, high)
    return high


def plan_promise(
    alpha: float, delta: float = 0.05, *, coverage: float = 1.0, expected: Sequence[float] = (), errors: int = 10
) -> LabelPlan:
    """What to collect for "at most `alpha` wrong among the answered with probability 1 − `delta`".

    `expected`: shares wrong among the answered to plan for (default: 0, ¼, ½ and ¾ of α); `coverage`: the share answered.
    """
    share(alpha, "alpha")
    risks = tuple(expected) or tuple(alpha * part for part in (0.0, 0.25, 0.5, 0.75))
    allowed = tuple(labels_with_errors(alpha, delta, k) for k in range(errors + 1))
    return LabelPlan(alpha, delta, coverage, allowed, tuple(_useful(alpha, delta, risk, coverage) for risk in risks))


def _useful(alpha: float, delta: float, risk: float, coverage: float) -> Useful:
    answered = plan_labels(alpha, delta, risk=risk)
    tested = plan_labels(alpha, delta, risk=risk, coverage=coverage)
    return Useful(risk, answered, None if tested is None else round(tested / (1 - TWO_FIFTHS)))
