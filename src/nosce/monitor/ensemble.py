"""Several signals as one confidence: a logistic regression over their standardised ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nosce.core.errors import InputError
from nosce.inside.probe import Probe
from nosce.metrics.estimate import Bools, Floats
from nosce.monitor.logistic import fit_logistic

KNOTS = 101


@dataclass(frozen=True)
class Ensemble:
    """P(right) = σ(b + Σ w_s z_s), z_s the rank of signal s among the rows it was fitted on, brought to mean 0 and deviation 1.

    Ranks, because the scales of signals differ wildly and only their order is trusted. A signal without a value counts as
    average. `held_out` is what fits that did not see a row said of it (empty once saved).
    """

    names: tuple[str, ...]
    knots: Floats  # [S, KNOTS], quantiles of each signal
    probe: Probe
    l2: float
    held_out: Floats

    @classmethod
    def fit(cls, names: Sequence[str], confidences: Floats, right: Bools, *, seed: int = 0) -> Ensemble:
        """From confidences [n, S] (NaN where a signal has no value) of labelled rows.

        Signals that never differ are left out. Raises InputError where no signal is left or too few rows are there.
        """
        varies = [s for s in range(len(names)) if np.unique(confidences[:, s][~np.isnan(confidences[:, s])]).size > 1]
        if not varies:
            raise InputError("an ensemble needs a signal that differs between the rows")
        knots = np.stack([np.nanquantile(confidences[:, s], np.linspace(0, 1, KNOTS)) for s in varies])
        fitted = fit_logistic(_ranks(confidences[:, varies], knots), right, seed=seed)
        return cls(tuple(names[s] for s in varies), knots, fitted.probe, fitted.l2, fitted.held_out)

    def predict(self, names: Sequence[str], confidences: Floats) -> Floats:
        """P(right) [n] from confidences [n, S] under these names; a signal that is not among them counts as average."""
        place = {name: i for i, name in enumerate(names)}
        missing = np.full(len(confidences), np.nan)
        columns = [confidences[:, place[name]] if name in place else missing for name in self.names]
        return self.probe.predict(_ranks(np.column_stack(columns), self.knots))

    @property
    def weights(self) -> dict[str, float]:
        """Weight per standardised signal, the heaviest first."""
        pairs = zip(self.names, self.probe.weights.tolist(), strict=True)
        return dict(sorted(pairs, key=lambda pair: -abs(pair[1])))

    def to_data(self) -> dict[str, Any]:
        """Plain JSON data."""
        knots = [[float(f"{x:.9g}") for x in row] for row in self.knots]  # likelihoods may be tiny
        return {"names": list(self.names), "knots": knots, "probe": self.probe.to_data(), "l2": self.l2}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Ensemble:
        """The inverse of `to_data`."""
        probe = Probe.from_data(data["probe"])
        return cls(tuple(data["names"]), np.asarray(data["knots"], dtype=np.float64), probe, float(data["l2"]), np.empty(0))


def _ranks(confidences: Floats, knots: Floats) -> Floats:
    """Share of the fitted rows below each value, ties half, in [−½, ½]; 0 without a value: [n, S]."""
    found = np.zeros(confidences.shape)
    for column, quantiles, out in zip(confidences.T, knots, found.T, strict=True):
        below, upto = np.searchsorted(quantiles, column), np.searchsorted(quantiles, column, "right")
        inside = np.interp(column, quantiles, np.linspace(0, 1, len(quantiles)))
        out[:] = np.where(upto > below + 1, (below + upto) / (2 * len(quantiles)), inside) - 0.5
    return np.where(np.isnan(confidences), 0.0, found)
