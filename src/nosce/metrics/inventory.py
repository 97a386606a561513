"""Every measure by name, with the columns it reads: what can be measured of a table depends on which of them it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics import calibration_error, monitoring, ranking, scores, self_correction, sensitivity
from nosce.metrics.bootstrap import bootstrap
from nosce.metrics.checks import probabilities
from nosce.metrics.estimate import Estimate
from nosce.metrics.faithfulness import conditional_faithfulness, faithfulness
from nosce.metrics.proportion import accuracy
from nosce.metrics.risk_coverage import augrc, aurc, coverage_at_risk, e_aurc, prr, selective_accuracy
from nosce.metrics.scorecard import Scorecard

COLUMNS = {
    "confidence": "stated probability of being right, in [0, 1]",
    "correct": "right (1) or wrong (0)",
    "kept": "answer kept, bet on or given (1), or withdrawn (0)",
    "felt": "feeling of knowing before the attempt, in [0, 1]",
    "judged": "judgement of learning after study, in [0, 1]",
    "correct_later": "right at the later test",
    "effort": "what was spent after the judgement (tokens, samples, tries)",
    "before": "right before self-correction",
    "after": "right after self-correction",
    "own": "injected error mended as the model's own text",
    "external": "the same error mended as someone else's text",
    "expressed": "certainty that the wording conveys, in [0, 1]",
    "intrinsic": "share of fresh samples that do not contradict the answer, in [0, 1]",
    "stimulus": "which of two alternatives was true (0 or 1)",
    "response": "which of them was answered (0 or 1)",
}
"""The columns that a measure may read, and what they hold."""


@dataclass(frozen=True)
class Measure:
    """A measure by name: the `theme` it belongs to, the columns it `reads`, and its rule."""

    name: str
    theme: str
    reads: tuple[str, ...]
    rule: Callable[..., Estimate]


def inventory() -> tuple[Measure, ...]:
    """All of them, in the order in which they are read."""
    found = [*_of_confidence(), *_of_control()]
    return tuple(Measure(name, theme, reads, rule) for theme, reads, rules in found for name, rule in rules.items())


Group = tuple[str, tuple[str, ...], dict[str, Callable[..., Estimate]]]


def _of_confidence() -> list[Group]:
    pair = ("confidence", "correct")
    return [
        ("rightness", ("correct",), {"accuracy": lambda correct, level: accuracy(correct, level)}),
        ("does it know its mistakes", pair, {
            "auroc2": ranking.auroc2, "gamma": ranking.gamma, "kendall": ranking.kendall, "spearman": ranking.spearman,
            "confidence_contrast": monitoring.confidence_contrast,
        }),
        ("what does silence buy", pair, {
            "aurc": aurc, "e_aurc": e_aurc, "augrc": augrc, "prr": prr,
            **{f"selective_accuracy@{c}": _selective(c) for c in (0.5, 0.8, 0.9)},
            **{f"coverage_at_risk@{r}": _covered(r) for r in (0.01, 0.05, 0.1, 0.2)},
        }),
        ("is its confidence true", pair, {
            "ece": calibration_error.ece, "ace": calibration_error.ace, "mce": calibration_error.mce,
            "smooth_ece": calibration_error.smooth_ece, "bias": calibration_error.confidence_bias,
            "overconfidence": calibration_error.overconfidence, "underconfidence": calibration_error.underconfidence,
        }),
        ("proper scores", pair, {
            "brier": scores.brier, "brier_skill": scores.brier_skill, "murphy_decomposition": scores.murphy_decomposition,
            "log_score": scores.log_score,
        }),
    ]  # fmt: skip


def _of_control() -> list[Group]:
    return [
        ("does it act on it", ("kept", "correct"), {"withdraw_delta": monitoring.withdraw_delta, "phi": ranking.phi}),
        ("does it act on it", ("confidence", "effort"), {"control_coupling": monitoring.control_coupling}),
        ("does it foresee", ("felt", "correct"), {"feeling_of_knowing": monitoring.feeling_of_knowing}),
        ("does it foresee", ("judged", "correct_later"), {"judgement_of_learning": monitoring.judgement_of_learning}),
        ("can it mend itself", ("before", "after"), {
            "confidence_level": self_correction.confidence_level, "critique_score": self_correction.critique_score,
            "relative_self_correction_score": self_correction.relative_self_correction_score,
        }),
        ("can it mend itself", ("own", "external"), {"blind_spot_rate": self_correction.blind_spot_rate}),
        ("do words match", ("expressed", "intrinsic"), {
            "faithfulness": faithfulness, "conditional_faithfulness": conditional_faithfulness,
        }),
        ("sensitivity", ("stimulus", "response", "confidence"), {
            "d_prime": lambda s, r, c, level: sensitivity.d_prime(*_counted(s, r, c), level=level),
            "meta_d": lambda s, r, c, level: _meta(s, r, c, level, "value", "interval"),
            "m_ratio": lambda s, r, c, level: _meta(s, r, c, level, "m_ratio", "m_ratio_interval"),
        }),
    ]  # fmt: skip


def _selective(coverage: float) -> Callable[..., Estimate]:
    return lambda confidence, correct, level: selective_accuracy(confidence, correct, coverage, level=level)


def _covered(risk: float) -> Callable[..., Estimate]:
    """The largest coverage whose risk is at most `risk`, with a bootstrap interval (optimistic where rows are few)."""

    def rule(confidence: ArrayLike, correct: ArrayLike, level: float) -> Estimate:
        def largest(c: Any, y: Any) -> float:
            return coverage_at_risk(c, y > 0.5, risk)

        return bootstrap(largest, confidence, correct, level=level, resamples=200)

    return rule


def _counted(stimulus: ArrayLike, response: ArrayLike, confidence: ArrayLike, ratings: int = 4) -> tuple[Any, Any]:
    """Rows as (nR_S1, nR_S2), confidence cut into `ratings` levels of nearly equal mass."""
    stated = probabilities(confidence, least=ratings)
    cuts = np.unique(np.quantile(stated, np.linspace(0, 1, ratings + 1)[1:-1]))
    rated = 1 + np.searchsorted(cuts, stated, side="right")
    return sensitivity.rating_counts(stimulus, response, rated, int(cuts.size) + 1)


def _meta(s: ArrayLike, r: ArrayLike, c: ArrayLike, level: float, value: str, interval: str) -> Estimate:
    fitted = sensitivity.meta_d(*_counted(s, r, c), level=level)
    n = int(np.asarray(c).size)
    return Estimate(getattr(fitted, value), getattr(fitted, interval), n, "maximum likelihood", level)


def measure_all(columns: Mapping[str, ArrayLike], *, level: float = 0.95, only: tuple[str, ...] = ()) -> Scorecard:
    """Every measure (or `only` those named) whose columns are there, by name; `missing` says why the rest is not.

    Rows are those of `columns`, all of one length; where a column holds NaN, a measure leaves that row out.
    """
    measures: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for measure in inventory():
        if only and measure.name not in only:
            continue
        if lacking := [name for name in measure.reads if name not in columns]:
            missing[measure.name] = f"needs the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
            continue
        try:
            measures[measure.name] = measure.rule(*_known([columns[name] for name in measure.reads]), level=level)
        except InputError as error:
            missing[measure.name] = str(error)
    return Scorecard(measures, missing)


def _known(columns: list[ArrayLike]) -> list[Any]:
    arrays = [np.asarray(column) for column in columns]
    gaps = [np.isnan(a) for a in arrays if a.dtype.kind == "f"]
    if not any(g.any() for g in gaps):
        return arrays
    kept = ~np.logical_or.reduce(gaps)
    return [a[kept] for a in arrays]
