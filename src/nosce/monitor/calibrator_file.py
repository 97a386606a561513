"""A fitted calibrator on disk: small versioned JSON that names the model, the signal and the hash of the rows
it saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import scored
from nosce.metrics.estimate import Floats
from nosce.monitor.calibrators import Calibrator, fit_calibrator, rebuild

_FORMAT, _VERSION = "nosce-calibrator", 1


def rows_hash(confidence: ArrayLike, correct: ArrayLike) -> str:
    """SHA-256 over the rows as little-endian float64 and bytes, in their order: the same labels give the same hash."""
    stated, right = scored(confidence, correct)
    digest = hashlib.sha256(stated.astype("<f8").tobytes())
    digest.update(right.astype(np.uint8).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class SavedCalibrator:
    """A calibrator with what it was fitted on; it refuses to serve another model or signal."""

    calibrator: Calibrator
    model: str
    signal: str
    data_hash: str
    n: int
    groups: Mapping[str, Calibrator] = field(default_factory=dict)

    @classmethod
    def fit(cls, kind: str, confidence: ArrayLike, correct: ArrayLike, *, model: str, signal: str) -> SavedCalibrator:
        """Fits `kind` and remembers the rows' hash and number."""
        fitted = fit_calibrator(kind, confidence, correct)
        return cls(fitted, model, signal, rows_hash(confidence, correct), len(np.asarray(confidence)))

    def transform(self, confidence: ArrayLike) -> Floats:
        """Calibrated probabilities."""
        return self.calibrator.transform(confidence)

    def check(self, model: str, signal: str) -> None:
        """Raises InputError where this was fitted for another model or signal."""
        if (model, signal) != (self.model, self.signal):
            raise InputError(
                f"this calibrator was fitted for signal {self.signal!r} of model {self.model!r}, "
                f"not for {signal!r} of {model!r}; fit one for it"
            )

    def to_json(self) -> str:
        """The file's text."""
        record: dict[str, Any] = {
            "format": _FORMAT,
            "version": _VERSION,
            "model": self.model,
            "signal": self.signal,
            "data_hash": self.data_hash,
            "n": self.n,
            "kind": self.calibrator.kind,
            "parameters": self.calibrator.parameters(),
        }
        if self.groups:
            record["groups"] = {k: {"kind": c.kind, "parameters": c.parameters()} for k, c in self.groups.items()}
        return json.dumps(record, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> SavedCalibrator:
        """Reads `to_json`'s text; InputError says what is wrong with any other."""
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"calibrator file: not JSON (line {error.lineno}: {error.msg})") from error
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            raise InputError(f"calibrator file: expected an object with format {_FORMAT!r}")
        if record.get("version") != _VERSION:
            raise InputError(f"calibrator file: version {record.get('version')} cannot be read, this reads {_VERSION}")
        try:
            groups = {k: rebuild(g["kind"], g["parameters"]) for k, g in record.get("groups", {}).items()}
            fitted = rebuild(record["kind"], record["parameters"])
            return cls(fitted, record["model"], record["signal"], record["data_hash"], int(record["n"]), groups)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"calibrator file: a field is missing or of the wrong kind ({error})") from error
