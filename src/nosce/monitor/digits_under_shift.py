"""Three small classifiers of scikit-learn's digits, each at home in another environment, and environments none has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nosce.core.errors import CapabilityError
from nosce.metrics.estimate import Bools, Floats, Integers
from nosce.monitor.abduction import NONE, learn_rule

DOUBTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Confidences below which a model's own doubt is a cue."""


@dataclass(frozen=True)
class Environment:
    """What the air does to an image: fog (share of the contrast lost), noise (its deviation), blur (share of each
    neighbour mixed in) and rows hidden from below."""

    fog: float = 0.0
    noise: float = 0.0
    blur: float = 0.0
    hidden: int = 0

    def see(self, images: Floats, rng: np.random.Generator) -> Floats:
        """Images [n, 8, 8] in [0, 1] as they look here."""
        around = sum(np.roll(images, (dy, dx), axis=(1, 2)) for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)))
        seen = (1 - self.blur) * images + self.blur * around / 4
        seen = (1 - self.fog) * seen + self.fog * 0.7 + rng.normal(0, self.noise, images.shape)
        if self.hidden:
            seen[:, 8 - self.hidden :] = 0.0
        return np.asarray(np.clip(seen, 0, 1))


HOMES = (Environment(), Environment(fog=0.5, noise=0.1), Environment(noise=0.25, blur=0.3))
"""Where each of the three is trained."""


def novel(rng: np.random.Generator) -> Environment:
    """An environment that no model was trained in: every disturbance at once, in strengths drawn anew."""
    return Environment(rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.3), rng.uniform(0.0, 0.5), int(rng.integers(0, 3)))


@dataclass(frozen=True)
class Seen:
    """What the models say about n objects: predictions and confidence [models, n], cues [models, K, n], the truth [n]."""

    predictions: Integers
    confidence: Floats
    cues: Bools
    truth: Integers


@dataclass(frozen=True)
class Classifiers:
    """The three models; each stays silent below a confidence of `speaks`."""

    models: Sequence[Any]
    classes: Integers
    speaks: float

    def look(self, images: Floats, truth: Integers) -> Seen:
        """Predictions of every model, and the cues its error rules may use: its own doubt, another's dissent or silence."""
        chances = np.stack([model.predict_proba(images.reshape(len(images), -1)) for model in self.models])
        sure = chances.max(axis=2)
        said = np.where(sure >= self.speaks, self.classes[chances.argmax(axis=2)], NONE)
        return Seen(said, sure, np.stack([_cues(i, said, sure) for i in range(len(said))]), truth)


def _cues(model: int, said: Integers, sure: Floats) -> Bools:
    others = [i for i in range(len(said)) if i != model]
    dissent = [(said[i] != said[model]) & (said[i] != NONE) for i in others]
    silent = [said[i] == NONE for i in others]
    doubt = [sure[model] < least for least in DOUBTS]
    both = [dissent[0] & dissent[1], silent[0] & silent[1]]
    timid = [d & (sure[model] < least) for d in dissent for least in DOUBTS[1::2]]
    return np.stack([*dissent, *silent, *both, *doubt, *timid])


def flagged(learnt_on: Seen, at: Seen, strictness: Sequence[float]) -> Bools:
    """What the error rules reject, [levels, models, n], at `at`.

    One rule per model, class and level ε, learned at `learnt_on`: it may cost at most ε of that class's recall there.
    """
    rejected = np.zeros((len(strictness), *at.predictions.shape), dtype=bool)
    for level, epsilon in enumerate(strictness):
        for model, said in enumerate(learnt_on.predictions):
            for label in np.unique(said[said != NONE]):
                rows, here = said == label, at.predictions[model] == label
                most = int(epsilon * (learnt_on.truth == label).sum())
                rule = learn_rule(learnt_on.truth[rows] != label, learnt_on.cues[model][:, rows], most)
                rejected[level, model] |= here & at.cues[model][rule].any(axis=0)
    return rejected


def raised(seed: int, *, train: int = 450, speaks: float = 0.5) -> tuple[Classifiers, Seen, Floats, Integers]:
    """The classifiers, what they see where rules are learned (their homes, images of their own), and what is left to test on.

    Deterministic in `seed`. Raises CapabilityError without scikit-learn.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.linear_model import LogisticRegression
        from sklearn.naive_bayes import GaussianNB
        from sklearn.neighbors import KNeighborsClassifier
    except ImportError:
        raise CapabilityError("scikit-learn's digits", "this installation", "pip install nosce[monitor]") from None
    rng, data = np.random.default_rng(seed), load_digits()
    order = rng.permutation(len(data.target))
    images, truth = data.images[order] / 16.0, np.asarray(data.target[order], dtype=np.int64)
    kinds = (LogisticRegression(max_iter=500), KNeighborsClassifier(7), GaussianNB(var_smoothing=0.01))
    at_home = [home.see(images[:train], rng).reshape(train, -1) for home in HOMES]
    made = Classifiers([k.fit(x, truth[:train]) for k, x in zip(kinds, at_home, strict=True)], np.unique(truth), speaks)
    middle = slice(train, 2 * train)
    rules = np.concatenate([home.see(images[middle], rng) for home in HOMES])
    return made, made.look(rules, np.tile(truth[middle], len(HOMES))), images[2 * train :], truth[2 * train :]
