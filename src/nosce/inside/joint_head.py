"""A joint distribution over final reward and remaining length, read from logits that no answer uses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import CapabilityError
from nosce.core.problem import Problem
from nosce.mind.dialects import dialect_of
from nosce.mind.dialects.base import Given

if TYPE_CHECKING:
    from nosce.models.base import Model

Floats = NDArray[np.float64]
REWARDS: dict[str, tuple[float, ...]] = {"correct": (0.0, 1.0), "value": tuple(k / 6 for k in range(7))}
"""Levels of the reward axis, by what is foretold."""
EDGES = (0, 1, 2, 4, 8, 16, 32, 64, 128)
"""Edges of the length axis, in units."""
BINS = len(EDGES) - 1


@dataclass(frozen=True)
class JointHead:
    """Where the grid stands: its first logit, its levels of reward, and how many tokens are one unit of length."""

    first: int
    rewards: tuple[float, ...]
    unit: int

    @classmethod
    def on(cls, model: Model, target: str, unit: int) -> JointHead:
        """The grid of a model that is trained for it. Raises CapabilityError where too few tokens are reserved."""
        return cls(reserved(model, BINS * len(REWARDS[target]))[0], REWARDS[target], unit)

    @property
    def size(self) -> int:
        """Number of logits."""
        return BINS * len(self.rewards)

    def cell(self, reward: float, remaining: NDArray[Any]) -> NDArray[np.int64]:
        """Flat index length + 8 · reward of the nearest level and the bin of each remaining length (tokens)."""
        level = int(np.argmin([abs(reward - value) for value in self.rewards]))
        return np.searchsorted(self.unit * np.array(EDGES[1:-1]), remaining, side="right") + BINS * level

    def joint(self, logits: NDArray[Any]) -> Floats:
        """P(reward, remaining length | prefix) [..., rewards, 8] from logits [..., V]: a softmax over the grid alone."""
        part = logits[..., self.first : self.first + self.size].astype(np.float64)
        p = np.exp(part - part.max(axis=-1, keepdims=True))
        found: Floats = (p / p.sum(axis=-1, keepdims=True)).reshape(*part.shape[:-1], len(self.rewards), BINS)
        return found

    def reward(self, joint: Floats) -> Floats:
        """E[reward] of joints [..., rewards, 8], in [0, 1]."""
        found: Floats = joint.sum(axis=-1) @ np.array(self.rewards)
        return found

    def remaining(self, joint: Floats) -> Floats:
        """E[remaining length] in tokens, every bin at its middle."""
        found: Floats = joint.sum(axis=-2) @ (self.unit * (np.array(EDGES[1:]) + np.array(EDGES[:-1])) / 2)
        return found

    def after(self, model: Any, problem: Problem, text: str) -> Floats:
        """The joint [rewards, 8] of a model with decode sessions after it has written `text`."""
        prompt = dialect_of(model).render("extend", problem, Given(prefix=text)).prompt
        return self.joint(np.asarray(model.session(prompt).logits))


def reserved(model: Model, many: int) -> tuple[int, tuple[str, ...]]:
    """The first id of the last `many` reserved tokens in a row, and their texts; of the bundled model, its last words for facts.

    Raises CapabilityError for a tokenizer that has none.
    """
    if model.dialect.startswith("socrates"):
        from nosce.models.socrates.tokenizer import VOCABULARY

        return len(VOCABULARY) - many, VOCABULARY[-many:]
    words = getattr(getattr(model, "words", None), "tokenizer", None)
    vocabulary: Mapping[str, int] = words.get_vocab() if words is not None else {}
    spare = {i: token for token, i in vocabulary.items() if re.search(r"reserved|unused|extra_id", token)}
    for first in sorted((i - many + 1 for i in spare), reverse=True):
        if all(i in spare for i in range(first, first + many)):
            return first, tuple(spare[i] for i in range(first, first + many))
    raise CapabilityError(f"{many} reserved tokens in a row", model.spec, "a tokenizer with reserved or unused tokens")


def trained(model: Model) -> JointHead | None:
    """The head that the model was trained with, as the `nosce.json` beside its weights says; None for any other model."""
    folder = Path(model.spec.partition(":")[2] or ".")
    try:
        said = json.loads((folder / "nosce.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if said.get("recipe") not in ("S006/head", "zip-rc/head"):
        return None
    return JointHead.on(model, str(said["options"].get("target", "correct")), int(said["options"].get("unit", 2)))
