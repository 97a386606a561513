"""Measures on plain arrays: value and interval out, no model needed. Confidence is in [0, 1], higher is surer."""

from nosce.metrics.bins import Bins
from nosce.metrics.bootstrap import bootstrap, bootstrap_mean, paired_bootstrap
from nosce.metrics.calibration_error import ace, confidence_bias, ece, mce, overconfidence, smooth_ece, underconfidence
from nosce.metrics.confidence_sequence import ConfidenceSequence, confidence_sequence
from nosce.metrics.estimate import Estimate
from nosce.metrics.faithfulness import conditional_faithfulness, faithfulness
from nosce.metrics.monitoring import (
    confidence_contrast,
    control_coupling,
    feeling_of_knowing,
    judgement_of_learning,
    withdraw_delta,
)
from nosce.metrics.multiple import Verdicts, benjamini_hochberg, holm
from nosce.metrics.permutation import PermutationTest, paired_permutation_test, permutation_test
from nosce.metrics.proportion import (
    accuracy,
    binomial_lower_tail,
    binomial_upper_tail,
    clopper_pearson,
    difference_of_proportions,
    proportion,
    wilson,
)
from nosce.metrics.ranking import auroc2, gamma, kendall, phi, spearman
from nosce.metrics.reliability import ReliabilityCurve, reliability_curve
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
from nosce.metrics.scorecard import Scorecard, scorecard
from nosce.metrics.scores import brier, brier_skill, log_score, murphy_decomposition
from nosce.metrics.self_correction import (
    blind_spot_rate,
    confidence_level,
    critique_score,
    relative_self_correction_score,
)
from nosce.metrics.sensitivity import MetaD, d_prime, meta_d, rating_counts
from nosce.metrics.stratified import auroc2_difference, auroc2_within
from nosce.metrics.validity import ValidityScreen, longest_run, validity_screen

__all__ = [
    "Bins",
    "ConfidenceSequence",
    "Estimate",
    "MetaD",
    "PermutationTest",
    "ReliabilityCurve",
    "RiskCoverage",
    "Scorecard",
    "ValidityScreen",
    "Verdicts",
    "accuracy",
    "ace",
    "augrc",
    "aurc",
    "auroc2",
    "auroc2_difference",
    "auroc2_within",
    "benjamini_hochberg",
    "binomial_lower_tail",
    "binomial_upper_tail",
    "blind_spot_rate",
    "bootstrap",
    "bootstrap_mean",
    "brier",
    "brier_skill",
    "clopper_pearson",
    "conditional_faithfulness",
    "confidence_bias",
    "confidence_contrast",
    "confidence_level",
    "confidence_sequence",
    "control_coupling",
    "coverage_at_risk",
    "critique_score",
    "d_prime",
    "difference_of_proportions",
    "e_aurc",
    "ece",
    "faithfulness",
    "feeling_of_knowing",
    "gamma",
    "holm",
    "judgement_of_learning",
    "kendall",
    "log_score",
    "longest_run",
    "mce",
    "meta_d",
    "murphy_decomposition",
    "overconfidence",
    "paired_bootstrap",
    "paired_permutation_test",
    "permutation_test",
    "phi",
    "proportion",
    "prr",
    "rating_counts",
    "relative_self_correction_score",
    "reliability_curve",
    "risk_coverage",
    "scorecard",
    "selective_accuracy",
    "smooth_ece",
    "spearman",
    "underconfidence",
    "validity_screen",
    "wilson",
    "withdraw_delta",
]
