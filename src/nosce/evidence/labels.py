"""Labelled questions: apart for fitting and for testing, and as the columns that a calibrator is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.core.streams import fingerprint, stream_key
from nosce.evidence.rows import Row
from nosce.metrics.estimate import Bools, Floats


def question_key(text: str, context: str | None = None) -> str:
    """What makes two rows the same question, however they are spaced or capitalised."""
    return fingerprint(" ".join(text.split()).casefold(), " ".join((context or "").split()).casefold(), size=6)


def split_labels(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Labelled problems for fitting (two in five) and for testing a threshold, apart by a hash.

    The same question never stands in both, under whatever ids it came: all its rows go where the first one goes.
    """
    first: dict[str, str] = {}
    for p in problems:
        first.setdefault(question_key(p.text, p.context), p.id)
    fitting = [_fits(first[question_key(p.text, p.context)]) for p in problems]
    if not any(fitting) or all(fitting):
        raise InputError(f"{len(problems)} labelled questions are too few to fit and to test on; give at least 20")
    chosen = [p for p, fits in zip(problems, fitting, strict=True) if fits]
    return chosen, [p for p, fits in zip(problems, fitting, strict=True) if not fits]


def _fits(name: str) -> bool:
    return stream_key("fit", name) % 5 < 2


@dataclass(frozen=True)
class Labelled:
    """Rows with a confidence and a grade, as columns: `question` is a key, `family` a group, `tokens` what each row cost."""

    confidence: Floats
    right: Bools
    family: tuple[str, ...]
    question: tuple[str, ...]
    tokens: Floats

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Labelled:
        """The answered rows that have both: a promise is about what is answered."""
        kept = [row for row in rows if row.outcome == "answered" and row.confidence is not None and row.correct is not None]
        return cls(
            np.array([row.confidence for row in kept], dtype=np.float64),
            np.array([(row.correct or 0) >= 0.5 for row in kept], dtype=np.bool_),
            tuple(row.family for row in kept),
            tuple(question_key(row.question) for row in kept),
            np.array([row.cost.tokens for row in kept], dtype=np.float64),
        )

    def __len__(self) -> int:
        return int(self.right.size)

    def part(self, rows: Bools) -> Labelled:
        """Those rows."""
        at = np.flatnonzero(rows)
        family, question = (tuple(words[i] for i in at) for words in (self.family, self.question))
        return Labelled(self.confidence[rows], self.right[rows], family, question, self.tokens[rows])

    def split(self) -> tuple[Labelled, Labelled]:
        """For fitting and for testing: two questions in five, the same question never in both."""
        fits = np.array([_fits(key) for key in self.question], dtype=np.bool_)
        if not fits.any() or fits.all():
            raise InputError(f"{len(self)} labelled rows with a confidence are too few to fit and to test on; give at least 20")
        return self.part(fits), self.part(~fits)

    def enough(self, kind: str) -> None:
        """Raises InputError where it is too little to fit that kind of calibrator on; identity learns nothing and needs nothing."""
        if kind != "identity" and (len(self) < 10 or len(set(self.right.tolist())) < 2):
            raise InputError(
                f"{len(self)} answered calibration questions, {int(self.right.sum())} of them right: too few to calibrate on; "
                "give more labelled questions, some of which the model gets wrong"
            )
