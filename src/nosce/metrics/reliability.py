"""The reliability curve: accuracy against stated confidence, with the band a perfectly calibrated rater would
stay in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.bins import Bins, equal_mass_bins, equal_width_bins, gather
from nosce.metrics.checks import scored, share
from nosce.metrics.estimate import Bools, Floats


@dataclass(frozen=True)
class ReliabilityCurve:
    """One point a bin that holds rows. `low`, `high`: Clopper–Pearson interval of the bin's accuracy. `band_low`,
    `band_high`: where the accuracy of this many rows would lie if the stated confidence were the truth.
    """

    bins: Bins
    low: Floats
    high: Floats
    band_low: Floats
    band_high: Floats

    @property
    def outside(self) -> Bools:
        """Bins whose accuracy leaves the band: there the miscalibration is more than noise."""
        accuracy = self.bins.accuracy
        return (accuracy < self.band_low - 1e-12) | (accuracy > self.band_high + 1e-12)


def reliability_curve(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 10,
    by: Literal["width", "mass"] = "width",
    level: float = 0.95,
) -> ReliabilityCurve:
    """Accuracy by bin of confidence. The band is the central `level` of Binomial(rows, mean confidence) / rows,
    which is never narrower than the exact band of unequal confidences with that mean.
    """
    from scipy import special, stats

    stated, right = scored(confidence, correct)
    if by not in ("width", "mass"):
        raise InputError(f"by: expected 'width' or 'mass', got {by!r}")
    index = equal_width_bins(stated, bins) if by == "width" else equal_mass_bins(stated, bins)
    table = gather(stated, right, index, bins, by_mass=by == "mass")
    tail = (1 - share(level, "level")) / 2
    hits = np.round(table.accuracy * table.count)
    low = np.where(hits == 0, 0.0, special.betaincinv(np.maximum(hits, 1e-9), table.count - hits + 1, tail))
    misses = table.count - hits
    high = np.where(misses == 0, 1.0, special.betaincinv(hits + 1, np.maximum(misses, 1e-9), 1 - tail))
    band = [stats.binom.ppf(q, table.count, table.confidence) / table.count for q in (tail, 1 - tail)]
    return ReliabilityCurve(table, low, high, np.maximum(band[0], 0.0), np.minimum(band[1], 1.0))
