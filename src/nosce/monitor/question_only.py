"""How hard does the question look? A confidence that never sees the attempt: the opponent that any signal has to beat."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nosce.core.problem import Problem
from nosce.inside.probe import Probe
from nosce.metrics.estimate import Bools, Floats
from nosce.monitor.logistic import fit_logistic
from nosce.monitor.similarity import hashed_ngrams

_NUMBER, _SIGN = re.compile(r"\d+"), re.compile(r"[-+*/=<>^%()]")
NGRAMS = 256


@dataclass(frozen=True)
class QuestionOnly:
    """P(right) from the text of a question alone; `held_out` [n] is what fits that did not see a row said of it."""

    probe: Probe
    held_out: Floats

    @classmethod
    def fit(cls, problems: Sequence[Problem], right: Bools, *, seed: int = 0) -> QuestionOnly:
        """A logistic regression on `features`, from whether the attempts at these questions were right.

        Raises InputError for fewer than 20 questions or when all attempts are alike.
        """
        fitted = fit_logistic(features(problems), right, seed=seed)
        return cls(fitted.probe, fitted.held_out)

    def predict(self, problems: Sequence[Problem]) -> Floats:
        """P(right) [n]."""
        return self.probe.predict(features(problems))


def features(problems: Sequence[Problem]) -> Floats:
    """What the text shows [n, d]: lengths, how many numbers, signs and choices, how long the numbers are, and which runs of
    letters occur (hashed). Neither family, level nor anything of an attempt."""
    texts = [_whole(problem) for problem in problems]
    counts = np.array([_counts(text, problem) for text, problem in zip(texts, problems, strict=True)])
    return np.column_stack([counts, hashed_ngrams(texts, NGRAMS)])


def _whole(problem: Problem) -> str:
    said = " ".join([problem.text, *(message.content for message in problem.messages)])
    return " ".join([said, *problem.choices, problem.context or ""])


def _counts(text: str, problem: Problem) -> list[float]:
    numbers, words = _NUMBER.findall(text), text.split()
    digits = [len(number) for number in numbers] or [0]
    biggest = max((float(number[:15]) for number in numbers), default=0.0)
    return [
        np.log1p(len(text)), len(words), len(numbers), len(_SIGN.findall(text)), max(digits), sum(digits), np.log1p(biggest),
        max((len(word) for word in words), default=0), len(problem.choices), float(problem.context is not None),
    ]  # fmt: skip
