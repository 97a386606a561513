"""What several estimators need of one question, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.attempt import Attempt
from nosce.core.errors import InputError
from nosce.core.problem import Problem
from nosce.monitor.equivalence import ENTAILMENT, Entails, Ints, Sameness, View, compared, entailment, matching, numbered
from nosce.monitor.similarity import Embed, cosines, hashed_ngrams, relevances, rouge_l

Floats = NDArray[np.float64]

NEEDS = {
    "logprobs": "token log-probabilities of the attempt",
    "entropies": "the entropy of each token's distribution (or alternatives to read it off)",
    "top": "at least two alternatives per token with their log-probabilities",
    "samples": "two samples or more",
    "sample_logprobs": "token log-probabilities of every sample",
    "pieces": "the text of each token",
    "nli": "how the attempts entail each other (by an entailment model)",
    "entails": "an entailment model",
    "prior": "log-probabilities of the same tokens without the question",
    "layers": "what each layer alone would have said (a local model with hidden states)",
}
"""What an estimator may ask of the statistics, and what that is."""


@dataclass
class Statistics:
    """One question and the attempts at it; the rest is computed when first asked for and kept.

    attempts: the first is the one that is judged. All of them are samples of what the model says, unless `apart`: then the
    first was drawn otherwise (greedily, say) and only the rest are. `view`: what texts are compared by, the whole `text` or
    the `answer` alone. `same`, `embed` and `entails` decide what counts as the same, alike, entailed.

    Given where somebody has them, else None. Matrices over all attempts: `similarity` [n, n] in place of cosines of `embed`,
    `nli` [n, n, 3] in place of asking `entails`. From a model (see `nosce.monitor.observe`): `judged` classes [n] in place of
    `same`; `pieces`, every attempt's tokens as text, or `relevance`, how much each of them matters [n][T]; `prior` [T],
    log-probabilities without the question; `layers` [L, T], 1 where a layer already prefers the token that the last one does.
    Raises InputError without an attempt, or where what is given has another shape.
    """

    problem: Problem
    attempts: Sequence[Attempt]
    apart: bool = False
    view: View = "text"
    same: Sameness = matching
    embed: Embed = hashed_ngrams
    entails: Entails | None = None
    similarity: Floats | None = None
    nli: Floats | None = None
    judged: Ints | None = None
    pieces: Sequence[Sequence[str]] | None = None
    relevance: Sequence[Floats] | None = None
    prior: Floats | None = None
    layers: Floats | None = None

    def __post_init__(self) -> None:
        if not self.attempts:
            raise InputError(f"problem {self.problem.id}: no attempt to judge; give at least one")
        n, tokens = len(self.attempts), len(self.attempts[0].logprobs or ())
        shapes: tuple[tuple[str, Any, tuple[int, ...]], ...] = (
            ("similarity", self.similarity, (n, n)), ("nli", self.nli, (n, n, 3)), ("judged", self.judged, (n,)),
            ("prior", self.prior, (tokens,)),
        )  # fmt: skip
        for name, given, shape in shapes:
            if given is not None and np.shape(given) != shape:
                raise InputError(f"problem {self.problem.id}: {name} has shape {np.shape(given)}; expected {shape}")
        for row, attempt in zip(self.relevance or (), self.attempts, strict=False):
            if len(row) != len(attempt.logprobs or ()):
                tokens = len(attempt.logprobs or ())
                raise InputError(f"problem {self.problem.id}: relevance of {len(row)} tokens; expected {tokens}")

    @cached_property
    def has(self) -> frozenset[str]:
        """Which of NEEDS are met."""
        first, samples = self.attempts[0], self.samples
        met = {
            "logprobs": bool(first.logprobs), "entropies": bool(first.entropies) or self._alternatives > 1,
            "top": self._alternatives > 1, "samples": len(samples) > 1,
            "sample_logprobs": bool(first.logprobs) and all(a.logprobs for a in samples),
            "pieces": self.pieces is not None or self.relevance is not None, "entails": self.entails is not None,
            "nli": self.entails is not None or self.nli is not None, "prior": self.prior is not None,
            "layers": self.layers is not None,
        }  # fmt: skip
        return frozenset(need for need, here in met.items() if here)

    # -- the attempt that is judged -----------------------------------------------------------------------------------

    @cached_property
    def logprobs(self) -> Floats:
        """Log-probability of each token [T]."""
        return np.array(self.attempts[0].logprobs or (), dtype=np.float64)

    @cached_property
    def top(self) -> Floats:
        """Log-probabilities of the alternatives [T, k], likeliest first, −∞ where a token has fewer; those with none left out."""
        k, given = self._alternatives, [pairs for pairs in self.attempts[0].top or () if pairs]
        rows = [[logprob for _, logprob in pairs] for pairs in given]
        if any(len(row) < k for row in rows):
            rows = [row + [-np.inf] * (k - len(row)) for row in rows]
        found = np.array(rows, dtype=np.float64).reshape(len(rows), k)
        return found if np.all(found[:, :-1] >= found[:, 1:]) else np.sort(found, axis=1)[:, ::-1]

    @cached_property
    def likely(self) -> Floats:
        """Probabilities of the alternatives [T, k], made to sum to 1: the whole distribution where k is the vocabulary."""
        p = np.exp(self.top)
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    @cached_property
    def entropies(self) -> Floats:
        """Entropy of each token's distribution [T] in nats: the model's own where it gives them, else of the alternatives."""
        own = self.attempts[0].entropies
        return np.array(own, dtype=np.float64) if own else plogp(self.likely)

    @cached_property
    def _alternatives(self) -> int:
        return max(map(len, self.attempts[0].top or ()), default=0)

    # -- the samples --------------------------------------------------------------------------------------------------

    @property
    def start(self) -> int:
        """Where the samples begin among the attempts: 1 when the first stands apart, else 0."""
        return int(self.apart)

    @cached_property
    def samples(self) -> Sequence[Attempt]:
        """The attempts that are samples of what the model says."""
        return self.attempts[self.start :]

    @cached_property
    def texts(self) -> list[str]:
        """What is compared of every attempt [n]: its text, or its answer (its text where it has none)."""
        return compared(self.attempts, self.view)

    @cached_property
    def sequence_logprobs(self) -> Floats:
        """Summed log-probability of each attempt [n]."""
        return np.array([sum(a.logprobs or ()) for a in self.attempts], dtype=np.float64)

    @cached_property
    def lengths(self) -> Ints:
        """Tokens of each attempt [n], at least 1."""
        return np.array([max(1, len(a.logprobs or ())) for a in self.attempts], dtype=np.int64)

    @cached_property
    def classes(self) -> Ints:
        """Which attempts say the same [n]: class numbers in order of appearance."""
        return self.same(self.problem, self.attempts) if self.judged is None else self.judged

    @cached_property
    def sizes(self) -> Ints:
        """How many samples each class holds, in order of appearance among the samples."""
        return np.bincount(self.members)

    @cached_property
    def members(self) -> Ints:
        """The class of each sample, numbered in order of appearance among the samples."""
        return numbered(self.classes[self.start :])

    @cached_property
    def alike(self) -> Floats:
        """Similarity of every two attempts [n, n]: what was given, else cosines of `embed`."""
        return cosines(self.embed(self.texts)) if self.similarity is None else self.similarity

    @cached_property
    def rouge(self) -> Floats:
        """ROUGE-L of every two attempts [n, n]."""
        return rouge_l(self.texts)

    @cached_property
    def entailment(self) -> Floats:
        """Probabilities [n, n, 3] that row entails, is neutral to, contradicts column."""
        if self.nli is not None:
            return self.nli
        if self.entails is None:
            raise InputError("no entailment model was given; pass entails=")
        return entailment(self.entails, self.texts)

    @cached_property
    def relevant_logprobs(self) -> Floats:
        """Log-probability of a token of each attempt [n], the mean weighted by how much each token matters."""
        rows = self.relevance if self.relevance is not None else [relevances(p, self.embed) for p in self.pieces or ()]
        pairs = zip(rows, self.attempts, strict=False)  # of the first attempt alone where no more is needed
        return np.array([_weighted(np.asarray(attempt.logprobs or (0.0,)), row) for row, attempt in pairs])

    # -- the samples as a graph ---------------------------------------------------------------------------------------

    @cached_property
    def affinity(self) -> Floats:
        """How close every two samples are [n, n] in [0, 1]: mean entailment of both directions, else similarity (not below 0)."""
        at = slice(self.start, None)
        yes = np.clip(self.alike, 0, 1) if "nli" not in self.has else self.entailment[:, :, ENTAILMENT]
        return np.asarray((yes[at, at] + yes[at, at].T) / 2)

    @cached_property
    def spectrum(self) -> tuple[Floats, Floats]:
        """Eigenvalues [n] and eigenvectors [n, n] (columns) of D^−½ W D^−½, W the affinity and D its degrees."""
        root = np.sqrt(np.maximum(self.affinity.sum(axis=1), 1e-300))
        values, vectors = np.linalg.eigh(self.affinity / (root[:, None] * root))
        return values, vectors


def _weighted(values: Floats, weights: Floats) -> float:
    """Weighted mean; the plain mean where no weight is above 0."""
    total = weights.sum()
    return float(values @ weights / total) if total > 0 else float(values.mean())


def plogp(p: Floats) -> Floats:
    """Entropy −Σ p log p over the last axis, in nats; 0 log 0 is 0."""
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1))
