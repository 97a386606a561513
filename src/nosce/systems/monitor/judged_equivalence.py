"""Do the samples mean the same, by the model's own judgement?"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.core.registry import estimator
from nosce.core.signal import Signal
from nosce.mind.mind import Mind
from nosce.monitor.observe import observe
from nosce.monitor.statistics import plogp


@estimator(
    "discrete-semantic-entropy", "discrete-semantic-entropy", part="model-judged", family="monitor", acts={"judge"},
    looks_at=("samples",),
)  # fmt: skip
async def judged_semantic_entropy(problem: Problem, attempts: Sequence[Attempt], mind: Mind) -> Signal:
    """Entropy of the classes of answers that the model itself judges to mean the same.

    Answers that the problem's Equivalence calls the same are not asked about. An uncertainty in [0, log n], in nats; no value
    for a single attempt.
    """
    high = log(max(2, len(attempts)))
    if len(attempts) < 2:
        return Signal("judged_semantic_entropy", None, "none", "uncertainty", 0.0, high)
    stats = await observe(problem, attempts, mind, judge=True)
    value = min(high, float(plogp(stats.sizes / stats.sizes.sum())))
    return mind.measure(Signal("judged_semantic_entropy", value, "samples", "uncertainty", 0.0, high), attempts[0].id)
