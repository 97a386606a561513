"""Where a model is trained: three verbs (score, update, publish) and its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from nosce.core.errors import InputError, NosceError
from nosce.learn.batch import Batch
from nosce.learn.recipe import Loss
from nosce.learn.rollout import Floats, Turn
from nosce.models.base import Model, Prompt


class Diverged(NosceError):
    """A loss or a gradient is not finite. The weights are as they were before the update."""


class Engine(Protocol):
    """A model in training. `model` is what Minds sample: the same weights, after every `publish`.

    A recipe's loss is called with log-probabilities and a Batch, piece by piece; an engine that is far away evaluates it on the
    log-probabilities it got and sends back dL/dlogp as weights of a cross-entropy, which has the same gradient.
    """

    spec: str

    @property
    def model(self) -> Model:
        """The model that samples with the published weights."""

    def encode(self, prompt: Prompt) -> Sequence[int]:
        """The ids that the model reads."""

    def write(self, text: str) -> Sequence[int]:
        """The ids of a reply, with the end of text after it."""

    def read(self, ids: Sequence[int]) -> str:
        """The text of ids, as `write` would be given it."""

    def token(self, text: str) -> int:
        """The id of one token. Raises InputError when there is none."""

    def score(self, turns: Sequence[Turn], needs: Sequence[str]) -> dict[str, list[Floats]]:
        """Per turn and token, without a gradient: `old`, `ref`, `entropy`, `self_certainty`."""

    def update(
        self, turns: Sequence[Turn], owner: Sequence[int], loss: Loss, *, lr: float, clip_norm: float, tokens_at_once: int,
        reads: frozenset[str],
    ) -> dict[str, float]:  # fmt: skip
        """One optimizer step on turns (`owner` numbers their rollouts).

        Returns the loss, its parts and the norm of the gradient. Raises Diverged, with weights unchanged.
        """

    def publish(self, version: str) -> None:
        """Let `model` sample with the trained weights."""

    def state(self) -> dict[str, Any]:
        """Everything a checkpoint needs: weights, optimizer, random state."""

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""

    def export(self, folder: Path) -> None:
        """Write weights that transformers and `nosce solve --model` load."""

    def named(self, folder: Path) -> str:
        """How an exported folder is named as a model."""

    def memory(self, tokens: int) -> int:
        """Estimated bytes that training with so many tokens at once takes, before anything is allocated."""


def open_engine(spec: str, **options: Any) -> Engine:
    """The engine of a model: `socrates…` trains on CPU with torch, `hf:…` any causal LM. InputError for what cannot be trained."""
    if spec.startswith("socrates"):
        from nosce.learn.tiny import TinyEngine

        return TinyEngine(spec, **options)
    if spec.startswith("hf:"):
        from nosce.learn.hf import HFEngine

        return HFEngine(spec.removeprefix("hf:"), **options)
    raise InputError(f"{spec} cannot be trained here; expected socrates, socrates-weak, socrates:FOLDER or hf:PATH")


__all__ = ["Batch", "Diverged", "Engine", "open_engine"]
