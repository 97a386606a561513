"""What is gained by answering only where one is sure: risk against coverage, and the areas under it.

Coverage k/n keeps the k surest rows; the selective risk is the share of wrong rows among them. Where confidences tie,
the risk is its expectation over a random order of the tied rows, so no value depends on the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import both_classes, cluster_codes, scored
from nosce.metrics.estimate import (
    Bools,
    Estimate,
    Floats,
    influence_error,
    normal_interval,
    weighted_influence_error,
)
from nosce.metrics.proportion import proportion
from nosce.metrics.tally import Tally, tally


@dataclass(frozen=True)
class RiskCoverage:
    """One point per distinct confidence, strictest first: answer where confidence >= threshold.

    `coverage` is the share answered, `risk` the share wrong among the answered, `answered` and `wrong` the counts.
    """

    threshold: Floats
    coverage: Floats
    risk: Floats
    answered: Floats
    wrong: Floats


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """The whole curve, strictest threshold first; thresholds are the confidences that occur."""
    return risk_coverage_of(tally(*scored(confidence, correct)))


def risk_coverage_of(rows: Tally) -> RiskCoverage:
    """The same from rows already gathered."""
    surest = rows.descending()
    answered, wrong = np.cumsum(surest.total), np.cumsum(surest.wrong)
    return RiskCoverage(surest.level, answered / answered[-1], wrong / answered, answered, wrong)


def _harmonic(n: int) -> Floats:
    """H(0) … H(n)."""
    steps = np.arange(n + 1, dtype=np.float64)
    steps[0] = np.inf
    np.reciprocal(steps, out=steps)
    return np.cumsum(steps, out=steps)


def _area(surest: Tally) -> float:
    """Mean over k of the expected risk of the k surest rows.

    In a tied group of m rows with w wrong, after K rows with W wrong, the risk at j is (W + j w/m) / (K + j); its sum
    over j = 1 … m is w + (W − K w/m) (H(K + m) − H(K)).
    """
    upto = np.cumsum(surest.total)
    if upto.size == upto[-1]:  # no ties
        risks = np.cumsum(surest.wrong)
        risks /= upto
        return float(risks.mean())
    harmonic = _harmonic(int(upto[-1]))
    before = upto - surest.total
    rate = surest.wrong / surest.total
    lead = np.cumsum(surest.wrong) - surest.wrong - before * rate
    spans = harmonic[upto.astype(np.int64)] - harmonic[before.astype(np.int64)]
    return float((surest.wrong.sum() + lead @ spans) / upto[-1])


def perfect_aurc(n: int, n_wrong: int) -> float:
    """AURC of the order that puts every right row before every wrong one."""
    first = n - n_wrong
    if n_wrong == 0:
        return 0.0
    tail = float(np.sum(1.0 / np.arange(first + 1, n + 1)))
    return (n_wrong - first * tail) / n


def _influence(surest: Tally, value: float) -> tuple[Floats, Floats]:
    """Influence on AURC of one right and one wrong row at each level, surest first.

    With G the risk and S the coverage at a level, and p the share of rows at it:
    ψ(c, w) = G(c) − AURC + Σ_{s <= c} p(s) (w − G(s)) / S(s).
    """
    answered = np.cumsum(surest.total)
    of_right = np.cumsum(surest.wrong)
    of_right /= answered
    gain = np.divide(surest.total, answered, out=answered)  # p / S
    cost = gain * of_right
    of_right -= value
    of_right -= _from_the_end(cost)
    of_wrong = _from_the_end(gain)
    of_wrong += of_right
    return of_right, of_wrong


def _from_the_end(steps: Floats) -> Floats:
    """Sum of each entry and all after it, in place."""
    backwards = steps[::-1]
    np.cumsum(backwards, out=backwards)
    return steps


def _per_row(confidence: Floats, right: Bools, surest: Tally, value: float) -> Floats:
    """The influence of each row, in the order of the input."""
    of_right, of_wrong = _influence(surest, value)
    place = surest.level.size - 1 - np.searchsorted(surest.level[::-1], confidence)
    return np.where(right, of_right[place], of_wrong[place])


def aurc_of(rows: Tally, level: float = 0.95) -> Estimate:
    """AURC of rows already gathered; see `aurc`."""
    surest = rows.descending()
    value = _area(surest)
    of_right, of_wrong = _influence(surest, value)
    n = rows.n
    spread = float(surest.right @ np.square(of_right, out=of_right) + surest.wrong @ np.square(of_wrong, out=of_wrong))
    error = float(np.sqrt(spread * n / max(n - 1, 1)) / n)
    return Estimate(value, normal_interval(value, error, level, (0.0, 1.0)), int(n), "influence", level, {"error": error})


def aurc(confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Estimate:
    """Area under the risk–coverage curve: the mean selective risk over coverages 1/n … 1. In [0, 1], lower is better.

    It mixes how often the model is wrong with how well it knows; `e_aurc` and `prr` take the first part out. Normal
    interval from the influence of each row, by cluster where given.
    """
    stated, right = scored(confidence, correct, least=2)
    rows = tally(stated, right)
    codes = cluster_codes(clusters, stated.size)
    plain = aurc_of(rows, level)
    if codes is None:
        return plain
    error = influence_error(_per_row(stated, right, rows.descending(), plain.value), codes)
    interval = normal_interval(plain.value, error, level, (0.0, 1.0))
    return Estimate(plain.value, interval, plain.n, "clustered influence", level, {"error": error})


def _beside_perfect(rows: Tally) -> tuple[float, float, float, Floats, Floats, Floats]:
    """AURC, the perfect AURC, the error rate, and the three influences by (right then wrong) level."""
    surest = rows.descending()
    n, n_wrong = int(rows.n), int(rows.n - rows.n_right)
    area, best, rate = _area(surest), perfect_aurc(n, n_wrong), n_wrong / n
    of_right, of_wrong = _influence(surest, area)
    on_rate = np.concatenate((np.full(of_right.size, -rate), np.full(of_wrong.size, 1 - rate)))
    on_best = -np.log1p(-rate) * on_rate  # the perfect area is about e + (1 − e) ln(1 − e)
    return area, best, rate, np.concatenate((of_right, of_wrong)), on_best, on_rate


def e_aurc(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Excess AURC: AURC minus that of the perfect order at the same number of errors. At least 0, lower is better."""
    stated, right = scored(confidence, correct, least=2)
    both_classes(right, "e_aurc")
    rows = tally(stated, right)
    area, best, rate, on_area, on_best, _ = _beside_perfect(rows)
    counts = np.concatenate((rows.right[::-1], rows.wrong[::-1]))
    error = weighted_influence_error(on_area - on_best, counts)
    interval = normal_interval(area - best, error, level, (0.0, 1.0))
    extras = {"aurc": area, "perfect": best, "risk": rate}
    return Estimate(area - best, interval, right.size, "influence", level, extras)


def augrc(confidence: ArrayLike, correct: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Area under the generalised risk–coverage curve, where the risk is wrong *and* answered, as a share of all rows.

    Trapezoid over coverage from 0 to 1; in [0, ½], lower is better. With a = accuracy it equals
    (1 − AUROC2) a (1 − a) + ½ (1 − a)², so it weighs every mistake alike instead of stressing the surest rows.
    """
    stated, right = scored(confidence, correct, least=2)
    surest = tally(stated, right).descending()
    n = float(right.size)
    joint = np.concatenate(([0.0], np.cumsum(surest.wrong) / n))
    widths = surest.total / n
    value = float(widths @ (joint[1:] + joint[:-1]) / 2)
    middle = (joint[1:] + joint[:-1]) / 2  # of rows up to here that are wrong
    lenient = 1.0 - (np.cumsum(surest.total) - surest.total / 2) / n  # share of rows at or below
    of_right, of_wrong = middle - 2 * value, middle + lenient - 2 * value
    error = weighted_influence_error(np.concatenate((of_right, of_wrong)), np.concatenate((surest.right, surest.wrong)))
    return Estimate(value, normal_interval(value, error, level, (0.0, 0.5)), right.size, "influence", level)


def _risk_at_every_coverage(surest: Tally) -> Floats:
    """Expected risk of the k surest rows for k = 1 … n."""
    m = surest.total.astype(np.int64)
    rate = np.repeat(surest.wrong / surest.total, m)
    return np.cumsum(rate) / np.arange(1, rate.size + 1)


def prr(confidence: ArrayLike, correct: ArrayLike, *, max_rejection: float = 1.0, level: float = 0.95) -> Estimate:
    """Prediction–rejection ratio: (area of chance − area of confidence) / (area of chance − area of the perfect order).

    Areas are mean selective risks while up to `max_rejection` of the rows are rejected, least sure first. 1 is perfect,
    0 is chance, negative is worse than chance. Interval: delta method, or a row bootstrap for a partial range.
    """
    stated, right = scored(confidence, correct, least=2)
    both_classes(right, "prr")
    if not 0.0 < max_rejection <= 1.0:
        raise InputError(f"max_rejection: expected a share in (0, 1], got {max_rejection}")
    if max_rejection < 1.0:
        return _partial_prr(stated, right, max_rejection, level)
    rows = tally(stated, right)
    area, best, rate, on_area, on_best, on_rate = _beside_perfect(rows)
    value = (rate - area) / (rate - best)
    influence = ((on_rate - on_area) - value * (on_rate - on_best)) / (rate - best)
    error = weighted_influence_error(influence, np.concatenate((rows.right[::-1], rows.wrong[::-1])))
    interval = normal_interval(value, error, level, (-np.inf, 1.0))
    return Estimate(value, interval, right.size, "influence", level, {"aurc": area, "perfect": best})


def _partial_prr(stated: Floats, right: Bools, most: float, level: float) -> Estimate:
    from nosce.metrics.bootstrap import bootstrap

    def ratio(c: Floats, y: Floats) -> float:
        rejected = max(1, int(most * c.size))
        flags = y.astype(bool)
        ours = _risk_at_every_coverage(tally(c, flags).descending())[-rejected:].mean()
        perfect = _risk_at_every_coverage(tally(flags.astype(np.float64), flags).descending())[-rejected:].mean()
        rate = 1 - float(flags.mean())
        return float((rate - ours) / (rate - perfect)) if rate > perfect else np.nan

    return bootstrap(ratio, stated, right.astype(np.float64), resamples=500, level=level)


def selective_accuracy(confidence: ArrayLike, correct: ArrayLike, coverage: float, *, level: float = 0.95) -> Estimate:
    """Accuracy among the surest `coverage` share of the rows (k = ⌈coverage · n⌉), exact interval at the rounded count.

    A tie at the boundary counts in expectation. `extras` names the threshold and k.
    """
    stated, right = scored(confidence, correct)
    if not 0.0 < coverage <= 1.0:
        raise InputError(f"coverage: expected a share in (0, 1], got {coverage}")
    surest = tally(stated, right).descending()
    k = int(np.ceil(coverage * right.size - 1e-9))
    upto = np.cumsum(surest.total)
    last = int(np.searchsorted(upto, k))
    inside = k - (upto[last] - surest.total[last])
    hits = float(surest.right[:last].sum() + inside * surest.right[last] / surest.total[last])
    whole = proportion(round(hits), k, level)
    extras = {"threshold": float(surest.level[last]), "answered": k}
    return Estimate(hits / k, whole.interval, k, whole.method, level, extras)


def coverage_at_risk(confidence: ArrayLike, correct: ArrayLike, risk: float) -> float:
    """Largest share that can be answered with at most `risk` wrong *in this sample*: a description, not a promise."""
    curve = risk_coverage(confidence, correct)
    fit = np.flatnonzero(curve.risk <= risk)
    return float(curve.coverage[fit[-1]]) if fit.size else 0.0
