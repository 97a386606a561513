"""A calibration that is paid for once: made from labelled rows, kept as a small file, used by every later run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.evidence.labels import Labelled, question_key
from nosce.evidence.promise import Limits, Promise, Threshold, alpha_of, make_threshold, threshold_of
from nosce.metrics.scorecard import Scorecard, scorecard
from nosce.monitor.calibrator_file import SavedCalibrator, read_record
from nosce.monitor.calibrators import calibrator_kinds
from nosce.monitor.choose_calibrator import choose_calibrator

BY_GROUP = "by-group"
METHODS = ("auto", *calibrator_kinds(), BY_GROUP)


@dataclass(frozen=True)
class About:
    """Whose confidence it is: a model's version, a strategy's name, a signal, and the settings that shape it."""

    model: str
    strategy: str
    signal: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    spec: str = field(default="", compare=False)


@dataclass(frozen=True)
class Calibration:
    """What the file holds: the calibrator, the thresholds tested, the settings, and keys of the questions it was made from.

    `spec` is the model as it was named: what a served model is known by.
    """

    calibrator: SavedCalibrator
    thresholds: tuple[Threshold, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    questions: frozenset[str] = frozenset()
    spec: str = field(default="", compare=False)

    def check(self, about: About, problems: Sequence[Problem] = ()) -> None:
        """Raises InputError, by name, for another model, strategy, signal or setting, or for a question it was made from."""
        self.calibrator.check(about.model, about.signal, about.strategy)
        for name in sorted({*self.settings, *about.settings}):
            made, asked = self.settings.get(name), about.settings.get(name)
            if made != asked:
                raise InputError(f"this calibrator was made with {name} {_told(made)}, not with {_told(asked)}; make one for it")
        shared = [p for p in problems if question_key(p.text, p.context) in self.questions]
        if shared:
            raise InputError(f"{len(shared)} of these questions made the calibrator (e.g. {shared[0].text!r}); leave them out")

    def promise(self, risk: float | None = None) -> Promise:
        """The promise at `risk`, or the only one there is; calibrated confidences alone where no risk was tested.

        Raises InputError where the file has no such promise, several to choose from, or only one that could not be made.
        """
        if not self.thresholds and risk is None:
            return Promise(self.calibrator, None)
        tested = [a for t in self.thresholds if (a := alpha_of(t)) is not None]
        found = [t for t in self.thresholds if risk is None or ((a := alpha_of(t)) is not None and abs(a - risk) < 1e-12)]
        if not found:
            there = f"it tested {', '.join(f'{a:g}' for a in tested)}" if tested else "it tested none"
            raise InputError(f"--risk {risk:g} is not in this calibrator ({there}); `nosce calibrate --risk {risk:g}` makes one")
        if len(found) > 1:
            raise InputError(f"this calibrator holds several promises; choose one: --risk {' or '.join(f'{a:g}' for a in tested)}")
        if not found[0].promised:
            raise InputError(f"this calibrator keeps no promise: {found[0].reason}; calibrate on more labelled questions")
        return Promise(self.calibrator, found[0])

    def data(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            **self.calibrator.data(),
            "spec": self.spec,
            "settings": dict(self.settings),
            "promises": [{"said": promised(t), "threshold": asdict(t)} for t in self.thresholds],
            "made_by": f"nosce {version('nosce')}",
            "questions": sorted(self.questions),
        }

    def to_json(self) -> str:
        """The file's text; the questions' keys stand on one line."""
        data = self.data()
        keys = json.dumps(data.pop("questions"), separators=(",", ":"))
        return f'{json.dumps(data, ensure_ascii=False, indent=1)[:-2]},\n "questions": {keys}\n}}\n'

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Reads the file. Raises InputError naming it and what is wrong."""
        try:
            record = read_record(path.read_text(encoding="utf-8"))
            if "ladder" in record:
                raise InputError("a policy of auto, which `nosce serve calibrate` made: it decides for --strategy auto alone")
            thresholds = tuple(threshold_of(p["threshold"]) for p in record["promises"])
            about = (record["settings"], frozenset(record["questions"]), record.get("spec", ""))
            return cls(SavedCalibrator.from_data(record), thresholds, *about)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; `nosce calibrate` writes one") from None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read: {error}") from None
        except (KeyError, TypeError) as error:
            raise InputError(f"{path}: calibrator file: a field is missing or of the wrong kind ({error})") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _told(value: Any) -> str:
    return "the default" if value in (None, {}, "") else json.dumps(value)


def promised(threshold: Threshold) -> str:
    """What a threshold promises, in one sentence, or why it promises nothing."""
    return threshold.reason[0].upper() + threshold.reason[1:] + "."


@dataclass(frozen=True)
class Wish:
    """How to calibrate: a `method` of METHODS, a promise for each of `risks`, each of them together with `limits`."""

    method: str = "auto"
    risks: tuple[float, ...] = ()
    delta: float = 0.05
    limits: Limits = field(default_factory=Limits)


def fit(fitting: Labelled, testing: Labelled, about: About, wish: Wish) -> tuple[Calibration, Mapping[str, float]]:
    """Fit on one part and test every risk's thresholds on the other; with the log score of each kind where one was chosen."""
    fitting.enough(wish.method)
    kind, tried = wish.method, dict[str, float]()
    if wish.method in ("auto", BY_GROUP):
        chosen = choose_calibrator(fitting.confidence, fitting.right, clusters=fitting.question)
        kind, tried = chosen.kind, dict(chosen.log_score)
    group = fitting.family if wish.method == BY_GROUP else None
    saved = SavedCalibrator.fit(
        kind, fitting.confidence, fitting.right, model=about.model, signal=about.signal, strategy=about.strategy, group=group
    )
    risks: list[float | None] = [*wish.risks] or ([None] if wish.limits else [])
    thresholds: list[Threshold] = []
    if risks:
        fitted, tested = (saved.transform(part.confidence, part.family) for part in (fitting, testing))
        for risk in risks:
            made = make_threshold(fitting, fitted, testing, tested, risk=risk, delta=wish.delta, limits=wish.limits)
            thresholds.append(made)
    questions = frozenset({*fitting.question, *testing.question})
    return Calibration(saved, tuple(thresholds), about.settings, questions, about.spec), tried


@dataclass(frozen=True)
class Calibrated:
    """A calibration with what it changed, measured on the rows that did not fit it: `before` and `after`.

    `tried` is the cross-validated log score of each kind where the kind was chosen; `n_fit`, `n_test` count rows.
    """

    calibration: Calibration
    before: Scorecard
    after: Scorecard
    tried: Mapping[str, float]
    n_fit: int
    n_test: int

    def data(self) -> dict[str, Any]:
        """Plain JSON data, without the questions' keys."""
        told = self.calibration.data()
        told.pop("questions")
        measured = {
            when: {name: found.to_dict() for name, found in card.measures.items()}
            for when, card in (("before", self.before), ("after", self.after))
        }
        return {**told, **measured, "tried": dict(self.tried), "n_fit": self.n_fit, "n_test": self.n_test}


def calibrate_rows(rows: Labelled, about: About, wish: Wish | None = None) -> Calibrated:
    """Fit on two questions in five and test on the rest, the same question never in both."""
    fitting, testing = rows.split()
    made, tried = fit(fitting, testing, about, wish or Wish())
    after = made.calibrator.transform(testing.confidence, testing.family)
    cards = scorecard(testing.confidence, testing.right), scorecard(after, testing.right)
    return Calibrated(made, *cards, tried, len(fitting), len(testing))
