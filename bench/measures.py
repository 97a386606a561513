"""What the measures cost: four of them over ten million rows, and a meta-d′ fit."""

from __future__ import annotations

import resource
import statistics
import time

import numpy as np

from nosce.metrics import aurc, auroc2, brier, ece, meta_d

ROWS, FITS = 10_000_000, 51
NR_S1, NR_S2 = [52, 32, 35, 37, 26, 12, 4, 2], [2, 5, 15, 22, 33, 38, 40, 45]


def _four() -> float:
    rng = np.random.default_rng(0)
    confidence = rng.random(ROWS)
    correct = rng.random(ROWS) < confidence
    start = time.perf_counter()
    for measure in (auroc2, ece, brier, aurc):
        measure(confidence, correct)
    return time.perf_counter() - start


def _fit() -> float:
    start = time.perf_counter()
    meta_d(NR_S1, NR_S2)
    return time.perf_counter() - start


def run() -> dict[str, float]:
    """Seconds (median of three) and peak memory of the process in MB for the four; milliseconds (median) for a fit."""
    seconds = statistics.median(_four() for _ in range(3))
    fit = statistics.median(_fit() for _ in range(FITS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"four_measures_10m_rows_s": seconds, "four_measures_peak_mb": peak, "meta_d_fit_ms": 1000 * fit}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:28s} {value:10.3f}")
