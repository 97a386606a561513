"""A fitted calibrator as plain data: versioned, naming the model, the strategy and the signal it serves, and the hash of the
rows it saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import scored
from nosce.metrics.estimate import Floats
from nosce.monitor.calibrators import Calibrator, fit_calibrator, rebuild
from nosce.monitor.grouped_calibrator import GroupedCalibrator

_FORMAT, _VERSION = "nosce-calibrator", 2
HEAD = {"format": _FORMAT, "version": _VERSION}
"""What every calibration file begins with, whatever it calibrates."""


def rows_hash(confidence: ArrayLike, correct: ArrayLike) -> str:
    """SHA-256 over the rows as little-endian float64 and bytes, in their order: the same labels give the same hash."""
    stated, right = scored(confidence, correct)
    digest = hashlib.sha256(stated.astype("<f8").tobytes())
    digest.update(right.astype(np.uint8).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class SavedCalibrator:
    """A calibrator with what it was fitted on; it refuses to serve another model, strategy or signal.

    `model` is a model's version, `strategy` a system's name, `signal` where its confidence comes from. `groups` holds a
    calibrator for each group that had enough rows; the others are served by `calibrator`.
    """

    calibrator: Calibrator
    model: str
    signal: str
    data_hash: str
    n: int
    groups: Mapping[str, Calibrator] = field(default_factory=dict)
    strategy: str = ""

    @classmethod
    def fit(
        cls, kind: str, confidence: ArrayLike, correct: ArrayLike, *, model: str, signal: str, strategy: str = "",
        group: Sequence[str] | None = None,
    ) -> SavedCalibrator:  # fmt: skip
        """Fits `kind`, on each `group` apart where given, and remembers the rows' hash and number."""
        about = (model, signal, rows_hash(confidence, correct), len(np.asarray(confidence)))
        if group is None:
            return cls(fit_calibrator(kind, confidence, correct), *about, strategy=strategy)
        grouped = GroupedCalibrator.fit(kind, confidence, correct, group)
        return cls(grouped.whole, *about, groups=grouped.groups, strategy=strategy)

    def transform(self, confidence: ArrayLike, group: Sequence[str] | None = None) -> Floats:
        """Calibrated probabilities, row by row by its group where groups were fitted."""
        if not self.groups or group is None:
            return self.calibrator.transform(confidence)
        return GroupedCalibrator(self.calibrator, self.groups).transform(confidence, group)

    def check(self, model: str, signal: str, strategy: str = "") -> None:
        """Raises InputError, by name, where this was fitted for another model, strategy or signal."""
        given = (("model", self.model, model), ("strategy", self.strategy, strategy), ("signal", self.signal, signal))
        wrong = [f"{what} {made!r}, not for {asked!r}" for what, made, asked in given if made != asked]
        if wrong:
            raise InputError(f"this calibrator was made for {'; for '.join(wrong)}; make one for it with `nosce calibrate`")

    def data(self) -> dict[str, Any]:
        """Plain JSON data."""
        record: dict[str, Any] = {
            **HEAD,
            "model": self.model,
            "strategy": self.strategy,
            "signal": self.signal,
            "data_hash": self.data_hash,
            "n": self.n,
            "kind": self.calibrator.kind,
            "parameters": self.calibrator.parameters(),
        }
        if self.groups:
            record["groups"] = {k: {"kind": c.kind, "parameters": c.parameters()} for k, c in self.groups.items()}
        return record

    def to_json(self) -> str:
        """The file's text."""
        return json.dumps(self.data(), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> SavedCalibrator:
        """Reads `to_json`'s text; InputError says what is wrong with any other."""
        return cls.from_data(read_record(text))

    @classmethod
    def from_data(cls, record: Mapping[str, Any]) -> SavedCalibrator:
        """Rebuilds it from `data`."""
        try:
            groups = {k: rebuild(g["kind"], g["parameters"]) for k, g in record.get("groups", {}).items()}
            fitted = rebuild(record["kind"], record["parameters"])
            about = (record["model"], record["signal"], record["data_hash"], int(record["n"]))
            return cls(fitted, *about, groups=groups, strategy=record["strategy"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"calibrator file: a field is missing or of the wrong kind ({error})") from error


def read_record(text: str) -> dict[str, Any]:
    """The object that a calibrator file holds. Raises InputError for another format or version."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"calibrator file: not JSON (line {error.lineno}: {error.msg})") from error
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise InputError(f"calibrator file: expected an object with format {_FORMAT!r}; `nosce calibrate` writes one")
    if record.get("version") != _VERSION:
        raise InputError(f"calibrator file: version {record.get('version')} cannot be read, this reads {_VERSION}")
    return record
