"""Is the promise kept? 200 calibration draws, the true risk known each time."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nosce.control.risk import select_threshold, threshold_grid
from nosce.core.registry import registry
from nosce.evidence.rows import row_of
from nosce.mind.engine import Engine
from nosce.models.load import load
from nosce.monitor.calibrators import fit_calibrator
from nosce.tasks.bundled import draw_problems

ALPHA, DELTA, DRAWS, LABELS, POOL = 0.2, 0.05, 200, 2000, 4000


async def pool() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidence and rightness of every answered problem in a pool: the population that calibration sets are drawn from."""
    engine, kept = Engine({"main": load("socrates")}), []
    system = registry.find("early-stopping-self-consistency")
    async for solved in engine.solve_all(draw_problems(n=POOL, part="cal"), system, {"most": 8}):
        row = row_of(solved.problem, solved.answer)
        if row.outcome == "answered" and row.confidence is not None:
            kept.append((row.confidence, (row.correct or 0) >= 0.5))
    confidence, right = zip(*kept, strict=True)
    return np.array(confidence), np.array(right)


def run() -> dict[str, Any]:
    """Draw calibration sets with replacement from the pool; a violation is a threshold whose risk in the pool exceeds α."""
    confidence, right = asyncio.run(pool())
    rng, risks, coverages, promised = np.random.default_rng(7), [], [], 0
    for _ in range(DRAWS):
        drawn = rng.integers(len(right), size=LABELS)
        fit, test = drawn[: LABELS * 2 // 5], drawn[LABELS * 2 // 5 :]
        calibrator = fit_calibrator("beta", confidence[fit], right[fit])
        scores = calibrator.transform(confidence)
        grid = threshold_grid(scores[fit], right[fit], alpha=ALPHA, n_labels=len(test), delta=DELTA)
        found = select_threshold(scores[test], right[test], alpha=ALPHA, delta=DELTA, grid=grid)
        if found.promised and found.threshold is not None:
            answered = scores >= found.threshold
            promised += 1
            risks.append(float((~right[answered]).mean()))
            coverages.append(float(answered.mean()))
    violations = int(sum(risk > ALPHA for risk in risks))
    return {
        "alpha": ALPHA, "delta": DELTA, "draws": DRAWS, "promised": promised, "violations": violations,
        "p_value_of_more_than_delta": round(float(stats.binomtest(violations, DRAWS, DELTA, alternative="greater").pvalue), 4),
        "mean_risk": round(float(np.mean(risks)), 4) if risks else None,
        "mean_coverage": round(float(np.mean(coverages)), 4) if coverages else 0.0,
        "oracle_coverage": round(_oracle(confidence, right), 4),
        "risk_when_all_are_answered": round(float((~right).mean()), 4),
    }  # fmt: skip


def _oracle(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The largest coverage at which the pool's own risk is at most α."""
    best = 0.0
    for threshold in np.unique(confidence):
        answered = confidence >= threshold
        if (~right[answered]).mean() <= ALPHA:
            best = max(best, float(answered.mean()))
    return best


if __name__ == "__main__":
    print(run())
