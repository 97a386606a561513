"""Measures on plain arrays: value and interval out, no model needed. Confidence is in [0, 1], higher is surer."""

from nosce.metrics.bootstrap import bootstrap, bootstrap_mean, paired_bootstrap
from nosce.metrics.calibration_error import ace, confidence_bias, ece, mce, overconfidence, smooth_ece, underconfidence
from nosce.metrics.estimate import Estimate
from nosce.metrics.multiple import Verdicts, benjamini_hochberg, holm
from nosce.metrics.proportion import accuracy, clopper_pearson, difference_of_proportions, proportion, wilson
from nosce.metrics.ranking import auroc2, gamma, kendall, phi, spearman
from nosce.metrics.risk_coverage import (
    RiskCoverage,
    augrc,
    aurc,
    coverage_at_risk,
    e_aurc,
    prr,
    risk_coverage,
    selective_accuracy,
)
from nosce.metrics.scores import brier, brier_skill, log_score, murphy_decomposition

__all__ = [
    "Estimate",
    "RiskCoverage",
    "Verdicts",
    "accuracy",
    "ace",
    "augrc",
    "aurc",
    "auroc2",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_mean",
    "brier",
    "brier_skill",
    "clopper_pearson",
    "confidence_bias",
    "coverage_at_risk",
    "difference_of_proportions",
    "e_aurc",
    "ece",
    "gamma",
    "holm",
    "kendall",
    "log_score",
    "mce",
    "murphy_decomposition",
    "overconfidence",
    "paired_bootstrap",
    "phi",
    "proportion",
    "prr",
    "risk_coverage",
    "selective_accuracy",
    "smooth_ece",
    "spearman",
    "underconfidence",
    "wilson",
]
