"""What a confidence is worth on graded questions: every measure with its interval, beside the question-only predictor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.evidence.rows import measured
from nosce.metrics import (
    Estimate,
    aurc,
    auroc2,
    auroc2_difference,
    auroc2_within,
    brier,
    e_aurc,
    ece,
    prr,
)
from nosce.metrics.estimate import Bools, Floats, Integers
from nosce.monitor.calibrators import fit_calibrator


@dataclass(frozen=True)
class SignalRow:
    """One signal on the questions that are reported on. Measures are None where they are not defined.

    auroc2, aurc, e_aurc, prr, ece, brier: of the raw confidence; `within`: AUROC2 over pairs of the same family and level alone;
    `ece_calibrated`, `brier_calibrated`: after a beta calibrator fitted on the choosing split. `versus` and `versus_within`:
    AUROC2 minus the question-only predictor's on the same rows. `n` of `of` questions gave the signal a value. `tokens` is the
    mean cost a question of the answer and this signal alone, what it was fitted on included (`prepared` of it); `extra` of it
    is beyond a single attempt.
    """

    name: str
    id: str
    source: str
    n: int
    of: int
    auroc2: Estimate | None = None
    within: Estimate | None = None
    aurc: Estimate | None = None
    e_aurc: Estimate | None = None
    prr: Estimate | None = None
    ece: Estimate | None = None
    brier: Estimate | None = None
    ece_calibrated: Estimate | None = None
    brier_calibrated: Estimate | None = None
    versus: Estimate | None = None
    versus_within: Estimate | None = None
    tokens: float = 0.0
    extra: float = 0.0
    prepared: float = 0.0


@dataclass(frozen=True)
class Table:
    """Confidences on a split: [n, S] with NaN where a signal has no value, rightness [n], and the cell of each question [n]."""

    names: tuple[str, ...]
    confidences: Floats
    right: Bools
    cells: Integers
    problems: tuple[Problem, ...]

    def column(self, name: str) -> Floats:
        """One signal's confidences [n]."""
        return np.asarray(self.confidences[:, self.names.index(name)])

    def valued(self, name: str) -> int:
        """How many questions gave a signal a value."""
        return int((~np.isnan(self.column(name))).sum())

    @property
    def several(self) -> bool:
        """Whether the questions fall into more than one family or level."""
        return len(np.unique(self.cells)) > 1

    def with_column(self, name: str, confidence: Floats) -> Table:
        """The same with one more signal."""
        return Table(
            (*self.names, name), np.column_stack([self.confidences, confidence]), self.right, self.cells, self.problems
        )


def cells(problems: Sequence[Problem]) -> Integers:
    """The number of each question's family and level."""
    keys = [(problem.family, problem.level) for problem in problems]
    known = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([known[key] for key in keys], dtype=np.int64)


def row_of(
    name: str, id: str, source: str, choosing: Table, report: Table, question: str, costs: tuple[float, float, float]
) -> SignalRow:
    """Measure one signal. `question` names the column of the question-only predictor, `costs` are tokens, extra, prepared."""
    has = ~np.isnan(report.column(name))
    sure, right, groups = report.column(name)[has], report.right[has], report.cells[has]
    other = report.column(question)[has]
    calibrated = _calibrated(choosing.column(name), choosing.right, sure)
    beside = name != question
    return SignalRow(
        name, id, source, int(has.sum()), len(has),
        measured(lambda: auroc2(sure, right)),
        measured(lambda: auroc2_within(sure, right, groups)) if report.several else None,
        measured(lambda: aurc(sure, right)),
        measured(lambda: e_aurc(sure, right)),
        measured(lambda: prr(sure, right)),
        measured(lambda: ece(sure, right)),
        measured(lambda: brier(sure, right)),
        measured(lambda: ece(calibrated, right)),
        measured(lambda: brier(calibrated, right)),
        measured(lambda: auroc2_difference(sure, other, right)) if beside else None,
        measured(lambda: auroc2_difference(sure, other, right, groups=groups)) if beside and report.several else None,
        *costs,
    )  # fmt: skip


def _calibrated(seen: Floats, right: Bools, new: Floats) -> Floats:
    """Confidences after a beta calibrator fitted on the choosing split; empty where it cannot be fitted."""
    has = ~np.isnan(seen)
    try:
        return fit_calibrator("beta", seen[has], right[has]).transform(new)
    except InputError:
        return np.empty(0)
