"""Does what the model does with its answers follow what it got right? Withdrawal, feeling of knowing, judgement
of learning."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nosce.metrics.calibration_error import confidence_bias
from nosce.metrics.checks import both_classes, same_length, truths
from nosce.metrics.estimate import Estimate
from nosce.metrics.proportion import difference_of_proportions
from nosce.metrics.ranking import auroc2, gamma, spearman


def withdraw_delta(kept: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Share kept among right answers − share kept among wrong ones (the same as withdrawals, wrong minus right).

    In [−1, 1], higher is better, 0 is blind. Interval: Newcombe's, from two Wilson intervals. `extras`: `kept`,
    `kept_right`, `kept_wrong`, and `profile`: "blanket confidence" (kept >= 95% and |Δ| < 0.15), "blanket
    withdrawal" (kept <= 10%), "selective" (Δ >= 0.15), else "unclassified". Source: S158, The Metacognitive
    Monitoring Battery: A Cross-Domain Benchmark for LLM Self-Monitoring.
    """
    decided, right = truths(kept, "kept", 2), truths(correct, least=2)
    same_length(("kept", decided), ("correct", right))
    both_classes(right, "withdraw_delta")
    n_right = int(right.sum())
    kept_right, kept_wrong = int(decided[right].sum()), int(decided[~right].sum())
    gap = difference_of_proportions((kept_right, n_right), (kept_wrong, right.size - n_right), level)
    share_kept = float(decided.mean())
    extras = {
        "kept": share_kept,
        "kept_right": kept_right / n_right,
        "kept_wrong": kept_wrong / (right.size - n_right),
        "profile": _profile(share_kept, gap.value),
    }
    return Estimate(gap.value, gap.interval, right.size, gap.method, level, extras)


def _profile(kept: float, delta: float) -> str:
    if kept >= 0.95 and abs(delta) < 0.15:
        return "blanket confidence"
    if kept <= 0.10:
        return "blanket withdrawal"
    return "selective" if delta >= 0.15 else "unclassified"


def feeling_of_knowing(felt: ArrayLike, solved: ArrayLike, *, level: float = 0.95) -> Estimate:
    """How well a judgement made *before* answering foretells success: gamma in [−1, 1], 0 is chance.

    `felt` in [0, 1] is asked before the attempt, `solved` observed after it. `extras`: `auroc2` and `bias`
    (mean feeling − share solved), each an Estimate: gamma leaves ties out, AUROC2 counts them half.
    """
    return _coupling(felt, solved, level)


def judgement_of_learning(judged: ArrayLike, solved_later: ArrayLike, *, level: float = 0.95) -> Estimate:
    """How well a judgement made *after* study or a first attempt foretells a later success; as `feeling_of_knowing`."""
    return _coupling(judged, solved_later, level)


def _coupling(judgement: ArrayLike, outcome: ArrayLike, level: float) -> Estimate:
    g = gamma(judgement, outcome, level=level)
    extras = {
        **g.extras,
        "auroc2": auroc2(judgement, outcome, level=level),
        "bias": confidence_bias(judgement, outcome, level=level),
    }
    return Estimate(g.value, g.interval, g.n, g.method, level, extras)


def control_coupling(judgement: ArrayLike, effort: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Does control follow monitoring? −Spearman's ρ of the judgement with the effort spent afterwards (tokens,
    samples, tries).

    In [−1, 1]: 1 where the least sure always get the most effort, 0 where effort ignores the judgement.
    """
    rho = spearman(judgement, effort, level=level)
    return Estimate(-rho.value, (-rho.interval[1], -rho.interval[0]), rho.n, rho.method, level)


def confidence_contrast(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Mean confidence on right rows − mean confidence on wrong ones, in [−1, 1]; Welch's normal interval."""
    from nosce.metrics.checks import scored
    from nosce.metrics.estimate import normal_interval

    stated, right = scored(confidence, correct, least=4)
    both_classes(right, "confidence_contrast")
    on_right, on_wrong = stated[right], stated[~right]
    value = float(on_right.mean() - on_wrong.mean())
    error = float(np.sqrt(sum(x.var(ddof=1) / x.size if x.size > 1 else 0.25 for x in (on_right, on_wrong))))
    interval = normal_interval(value, error, level, (-1.0, 1.0))
    extras = {"right": float(on_right.mean()), "wrong": float(on_wrong.mean())}
    return Estimate(value, interval, right.size, "Welch", level, extras)
