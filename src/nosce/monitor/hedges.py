"""Words for how sure one is: a ladder of hedges, each with the certainty that it conveys, fitted so that words keep their word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nosce.core.errors import InputError
from nosce.metrics.checks import probabilities, same_length
from nosce.metrics.estimate import Floats, Integers


@dataclass(frozen=True)
class Hedge:
    """A wording over `{answer}`, the `mark` by which a reader knows it, and its `meaning`: the certainty it conveys, in [0, 1]."""

    name: str
    wording: str
    mark: str
    meaning: float

    def say(self, answer: str) -> str:
        """The answer in these words."""
        return self.wording.format(answer=answer)


LADDER = (
    Hedge("doubtful", "I doubt it, but my best guess is {answer}.", "i doubt it", 0.125),
    Hedge("perhaps", "Perhaps it is {answer}.", "perhaps", 0.325),
    Hedge("even", "It is as likely as not that the answer is {answer}.", "as likely as not", 0.5),
    Hedge("likely", "It is likely that the answer is {answer}.", "it is likely", 0.675),
    Hedge("very likely", "It is very likely that the answer is {answer}.", "very likely", 0.875),
    Hedge("almost certain", "It is almost certain that the answer is {answer}.", "almost certain", 0.96),
    Hedge("plain", "The answer is {answer}.", "", 1.0),
)
"""From least to most certain; the meanings are the middles of the ranges that such words are customarily given."""


@dataclass(frozen=True)
class Lexicon:
    """Hedges by rising meaning; the last is the plain statement."""

    hedges: tuple[Hedge, ...] = LADDER

    @property
    def meanings(self) -> Floats:
        """The meaning of each, rising."""
        return np.array([hedge.meaning for hedge in self.hedges], dtype=np.float64)

    def nearest(self, certainty: float) -> Hedge:
        """The hedge whose meaning is nearest to the certainty; of two as near, the more cautious."""
        return self.hedges[int(self._nearest(np.array([certainty]))[0])]

    def _nearest(self, certainty: Floats) -> Integers:
        found: Integers = np.abs(certainty[:, None] - self.meanings[None, :]).argmin(axis=1)
        return found

    def expressed(self, text: str) -> float:
        """The certainty that a text conveys: the meaning of the least sure hedge in it, that of the plain statement without one."""
        said = " ".join(text.lower().split())
        found = [hedge.meaning for hedge in self.hedges if hedge.mark and hedge.mark in said]
        return min(found, default=self.hedges[-1].meaning)

    def fit(self, certainty: ArrayLike, measured: ArrayLike, *, rounds: int = 20) -> Lexicon:
        """Meanings moved to what was measured where each word would be used, so that a word is worth what it says.

        Rule: each row takes the hedge nearest to its `certainty` (what is known when speaking); a hedge's meaning becomes the mean
        of what was `measured` (by fresh samples, say) over its rows, shrunk to the customary meaning by one row, and kept in
        order; repeated until nothing moves. A hedge that is not used keeps its meaning as far as the order allows.
        """
        known, seen = probabilities(certainty, "certainty"), probabilities(measured, "measured")
        same_length(("certainty", known), ("measured", seen))
        fitted = self
        for _ in range(rounds):
            index = fitted._nearest(known)
            count = np.bincount(index, minlength=len(self.hedges)).astype(np.float64)
            total = np.bincount(index, weights=seen, minlength=len(self.hedges))
            custom = np.where(count > 0, self.meanings, fitted.meanings)
            moved = fitted._with(_rising((total + custom) / (count + 1.0), count + 1.0))
            if np.allclose(moved.meanings, fitted.meanings, atol=1e-12):
                break
            fitted = moved
        return fitted

    def _with(self, meanings: Floats) -> Lexicon:
        pairs = zip(self.hedges, meanings.tolist(), strict=True)
        return Lexicon(tuple(replace(hedge, meaning=meaning) for hedge, meaning in pairs))

    def data(self) -> list[float]:
        """The meanings, in the order of LADDER."""
        return [hedge.meaning for hedge in self.hedges]

    @classmethod
    def of(cls, data: Sequence[Any]) -> Lexicon:
        """The ladder with the meanings that `data` gave."""
        if len(data) != len(LADDER):
            raise InputError(f"a lexicon has {len(LADDER)} meanings, got {len(data)}")
        return cls()._with(np.array(data, dtype=np.float64))


def _rising(values: Floats, weights: Floats) -> Floats:
    """The nearest non-decreasing values."""
    from scipy import optimize

    return np.asarray(optimize.isotonic_regression(values, weights=weights).x, dtype=np.float64)
