"""The promise at two risks over 500 calibration draws: how often it is broken, and how much it answers beside an oracle."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bench.promise import pool
from nosce.control.risk import select_threshold, threshold_grid
from nosce.monitor.calibrators import fit_calibrator

ALPHAS, DELTA, DRAWS, LABELS = (0.2, 0.1), 0.05, 500, 2000


def run() -> dict[str, Any]:
    """Calibration sets drawn with replacement from a pool of answered questions, which is the population: risks are exact."""
    confidence, right = asyncio.run(pool())
    return {f"alpha_{alpha}": drawn(confidence, right, alpha) for alpha in ALPHAS}


def drawn(confidence: NDArray[np.float64], right: NDArray[np.bool_], alpha: float) -> dict[str, Any]:
    """Broken promises among the draws, and coverage against the most lenient threshold that truly keeps the risk."""
    rng, risks, coverages = np.random.default_rng(7), [], []
    for _ in range(DRAWS):
        rows = rng.integers(len(right), size=LABELS)
        fit, test = rows[: LABELS * 2 // 5], rows[LABELS * 2 // 5 :]
        scores = fit_calibrator("beta", confidence[fit], right[fit]).transform(confidence)
        grid = threshold_grid(scores[fit], right[fit], alpha=alpha, n_labels=len(test), delta=DELTA)
        found = select_threshold(scores[test], right[test], alpha=alpha, delta=DELTA, grid=grid)
        answered = scores >= found.threshold if found.threshold is not None else np.zeros(len(right), bool)
        coverages.append(float(answered.mean()))
        risks.append(float((~right[answered]).mean()) if answered.any() else 0.0)
    broken = int(sum(risk > alpha for risk in risks))
    p = stats.binomtest(broken, DRAWS, DELTA, alternative="greater").pvalue
    return {
        "alpha": alpha, "delta": DELTA, "draws": DRAWS, "labels": LABELS, "broken": broken,
        "p_value_of_more_than_delta": round(float(p), 4), "mean_risk": round(float(np.mean(risks)), 4),
        "mean_coverage": round(float(np.mean(coverages)), 4), "oracle_coverage": round(oracle(confidence, right, alpha), 4),
    }  # fmt: skip


def oracle(confidence: NDArray[np.float64], right: NDArray[np.bool_], alpha: float) -> float:
    """The largest coverage of any threshold whose risk in the pool is at most alpha."""
    order = np.argsort(-confidence, kind="stable")
    risk = np.cumsum(~right[order]) / np.arange(1, right.size + 1)
    ends = np.append(np.diff(confidence[order]) != 0, True)  # a threshold takes all rows of one confidence
    kept = np.flatnonzero((risk <= alpha) & ends)
    return float((kept[-1] + 1) / right.size) if kept.size else 0.0


if __name__ == "__main__":
    print(run())
