"""Maps from a raw confidence to a calibrated one, fitted on labelled rows: confidence in, probability of being
right out.

Every calibrator is immutable: `fit(confidence, correct)` makes one, `transform(confidence)` applies it. Numbers
in and out lie in [0, 1]. All but the histogram keep the order of confidences (isotonic may tie some). numpy and
scipy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError, unknown
from nosce.metrics.bins import equal_mass_bins
from nosce.metrics.checks import both_classes, probabilities, scored
from nosce.metrics.estimate import Bools, Floats

_EDGE = 1e-6  # confidences are read as at least this far from 0 and 1 where a logarithm is taken


@runtime_checkable
class Calibrator(Protocol):
    """What every kind offers. `kind` names it in files; `parameters` is plain data, enough to rebuild it."""

    kind: ClassVar[str]

    def transform(self, confidence: ArrayLike) -> Floats:
        """Calibrated probabilities in [0, 1], one per row."""
        ...

    def parameters(self) -> dict[str, Any]:
        """Plain numbers and lists, enough to rebuild it."""
        ...


def _logit(confidence: Floats) -> Floats:
    from scipy import special

    inside: Floats = special.logit(np.clip(confidence, _EDGE, 1 - _EDGE))
    return inside


def _logistic_fit(features: Floats, target: Floats) -> Floats:
    """Weights w minimising Σ log(1 + e^{x·w}) − target · x·w, by Newton with a tiny ridge. features (n, k) → (k,)."""
    from scipy import special

    weights = np.zeros(features.shape[1])
    ridge = 1e-9 * features.shape[0] * np.eye(weights.size)

    def loss(w: Floats) -> float:
        z = features @ w
        return float(np.sum(np.logaddexp(0, z) - target * z) + w @ ridge @ w / 2)

    for _ in range(100):
        p = special.expit(features @ weights)
        gradient = features.T @ (p - target) + ridge @ weights
        hessian = (features.T * (p * (1 - p))) @ features + ridge
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while loss(weights - size * step) > loss(weights) + 1e-12 and size > 1e-8:
            size /= 2
        weights = weights - size * step
        if np.abs(size * step).max() < 1e-10 * (1 + np.abs(weights).max()):
            break
    return weights


def _smoothed(right: Bools) -> Floats:
    """Platt's targets: (n₊ + 1) / (n₊ + 2) for right, 1 / (n₋ + 2) for wrong; keeps separable rows from
    infinite slopes."""
    n_right = np.count_nonzero(right)
    return np.where(right, (n_right + 1) / (n_right + 2), 1 / (right.size - n_right + 2))


@dataclass(frozen=True)
class Temperature:
    """σ(logit(c) / T): one number. T > 1 softens overconfidence, T < 1 sharpens. Cannot shift a biased 0.5."""

    kind: ClassVar[str] = "temperature"
    temperature: float

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike) -> Self:
        """Minimises the log loss over T in [0.01, 100]."""
        from scipy import optimize

        stated, right = scored(confidence, correct, least=2)
        z = _logit(stated)

        def loss(log_t: float) -> float:
            scaled = z * np.exp(-log_t)
            return float(np.mean(np.logaddexp(0, scaled) - right * scaled))

        found = optimize.minimize_scalar(loss, bounds=(np.log(0.01), np.log(100)), method="bounded")
        return cls(float(np.exp(found.x)))

    def transform(self, confidence: ArrayLike) -> Floats:
        from scipy import special

        return np.asarray(special.expit(_logit(probabilities(confidence, least=0)) / self.temperature), np.float64)

    def parameters(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Platt:
    """σ(slope · logit(c) + shift), slope >= 0, fitted by maximum likelihood on Platt's targets."""

    kind: ClassVar[str] = "platt"
    slope: float
    shift: float

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike) -> Self:
        """Where confidence runs against truth the slope is 0. Raises InputError where all rows are right or all wrong."""
        stated, right = scored(confidence, correct, least=2)
        both_classes(right, "platt")
        features, target = np.stack((_logit(stated), np.ones(stated.size)), axis=1), _smoothed(right)
        slope, shift = _logistic_fit(features, target)
        if slope < 0:
            return cls(0.0, float(_logistic_fit(features[:, 1:], target)[0]))
        return cls(float(slope), float(shift))

    def transform(self, confidence: ArrayLike) -> Floats:
        from scipy import special

        z = _logit(probabilities(confidence, least=0))
        return np.asarray(special.expit(self.slope * z + self.shift), np.float64)

    def parameters(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Beta:
    """σ(a · ln c − b · ln(1 − c) + m) with a, b >= 0: what is right where both classes have beta-distributed
    confidence."""

    kind: ClassVar[str] = "beta"
    a: float
    b: float
    m: float

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike) -> Self:
        """Maximum likelihood on Platt's targets; a negative weight is dropped and the rest is fitted again."""
        stated, right = scored(confidence, correct, least=2)
        both_classes(right, "beta")
        c = np.clip(stated, _EDGE, 1 - _EDGE)
        columns, target = np.stack((np.log(c), -np.log1p(-c), np.ones(c.size)), axis=1), _smoothed(right)
        kept = [0, 1, 2]
        while True:
            weights = np.zeros(3)
            weights[kept] = _logistic_fit(columns[:, kept], target)
            if weights[:2].min() >= 0:
                return cls(*(float(w) for w in weights))
            kept.remove(int(weights[:2].argmin()))

    def transform(self, confidence: ArrayLike) -> Floats:
        from scipy import special

        c = np.clip(probabilities(confidence, least=0), _EDGE, 1 - _EDGE)
        return np.asarray(special.expit(self.a * np.log(c) - self.b * np.log1p(-c) + self.m), np.float64)

    def parameters(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Isotonic:
    """The best non-decreasing map in squared error (pool adjacent violators), linear between the knots, flat
    outside."""

    kind: ClassVar[str] = "isotonic"
    knots: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike) -> Self:
        """Rows of equal confidence are pooled first. Knots are kept only where the map bends."""
        from scipy import optimize

        stated, right = scored(confidence, correct, least=2)
        level, code, count = np.unique(stated, return_inverse=True, return_counts=True)
        mean = np.bincount(code, weights=right) / count
        fitted = np.asarray(optimize.isotonic_regression(mean, weights=count).x)
        flat = (fitted[1:-1] == fitted[:-2]) & (fitted[1:-1] == fitted[2:])
        kept = np.concatenate(([True], ~flat, [True])) if level.size > 1 else np.array([True])
        return cls(tuple(level[kept].tolist()), tuple(np.clip(fitted[kept], 0, 1).tolist()))

    def transform(self, confidence: ArrayLike) -> Floats:
        return np.asarray(np.interp(probabilities(confidence, least=0), self.knots, self.values), np.float64)

    def parameters(self) -> dict[str, Any]:
        return {"knots": list(self.knots), "values": list(self.values)}


@dataclass(frozen=True)
class Histogram:
    """Share right in bins of nearly equal mass, each shrunk towards the overall share by one row. May break the
    order."""

    kind: ClassVar[str] = "histogram"
    edges: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> Self:
        """`edges` are the upper confidences of all bins but the last, halfway to the next bin."""
        stated, right = scored(confidence, correct, least=2)
        _, index = np.unique(equal_mass_bins(stated, bins), return_inverse=True)
        count = np.bincount(index)
        values = (np.bincount(index, weights=right) + right.mean()) / (count + 1)
        low, high = np.full(count.size, np.inf), np.full(count.size, -np.inf)
        np.minimum.at(low, index, stated)
        np.maximum.at(high, index, stated)
        return cls(tuple(((high[:-1] + low[1:]) / 2).tolist()), tuple(values.tolist()))

    def transform(self, confidence: ArrayLike) -> Floats:
        place = np.searchsorted(self.edges, probabilities(confidence, least=0), side="left")
        return np.asarray(self.values, np.float64)[place]

    def parameters(self) -> dict[str, Any]:
        return {"edges": list(self.edges), "values": list(self.values)}


@dataclass(frozen=True)
class Identity:
    """Leaves confidence as it is: the baseline every calibrator has to beat."""

    kind: ClassVar[str] = "identity"

    @classmethod
    def fit(cls, confidence: ArrayLike, correct: ArrayLike) -> Self:
        """Checks the rows and learns nothing from them."""
        scored(confidence, correct)
        return cls()

    def transform(self, confidence: ArrayLike) -> Floats:
        return probabilities(confidence, least=0).copy()

    def parameters(self) -> dict[str, Any]:
        return {}


Kind = type[Temperature] | type[Platt] | type[Beta] | type[Isotonic] | type[Histogram] | type[Identity]


def calibrator_kinds() -> Mapping[str, Kind]:
    """The kinds by name, in the order of how many rows they want: few parameters first."""
    kinds: tuple[Kind, ...] = (Identity, Temperature, Platt, Beta, Histogram, Isotonic)
    return {kind.kind: kind for kind in kinds}


def fit_calibrator(kind: str, confidence: ArrayLike, correct: ArrayLike) -> Calibrator:
    """Fits the named kind; InputError offers the nearest names."""
    kinds = calibrator_kinds()
    if kind not in kinds:
        raise unknown("calibrator", kind, kinds)
    return kinds[kind].fit(confidence, correct)


def rebuild(kind: str, parameters: Mapping[str, Any]) -> Calibrator:
    """The calibrator that `parameters()` described."""
    kinds = calibrator_kinds()
    if kind not in kinds:
        raise unknown("calibrator", kind, kinds)
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
    make: Any = kinds[kind]
    try:
        made: Calibrator = make(**fields)
    except TypeError as error:
        raise InputError(f"calibrator {kind!r}: parameters do not fit ({error})") from error
    return made
