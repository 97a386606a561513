"""The engine of the bundled model: torch on the CPU for the update, numpy for the rollouts, one set of weights."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nosce.core.errors import InputError
from nosce.learn.rollout import Turn
from nosce.learn.torch_engine import TorchEngine, laid_flat
from nosce.learn.torch_network import Decoder, load
from nosce.models.base import Prompt
from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates.model import SocratesModel


class TinyEngine(TorchEngine):
    """`socrates`, `socrates-weak`, or a folder that training wrote.

    `taught`: whether the taught acts may be asked for, also of a model that is only now to learn them.
    """

    def __init__(self, spec: str = "socrates-weak", *, taught: bool = False) -> None:
        self.spec = spec
        self.model = SocratesModel(spec, dialect="socrates" if taught else None)
        self.network: Decoder = load(self.model.folder)
        self.reference: Decoder | None = None
        self.start = copy.deepcopy(self.network.state_dict())
        super().__init__(list(self.network.parameters()))

    # -- tokens -------------------------------------------------------------------------------------------------------

    def encode(self, prompt: Prompt) -> Sequence[int]:
        """The ids that the model reads."""
        return self.model.encode(prompt)

    def write(self, text: str) -> Sequence[int]:
        """The ids of a reply, with the end of text after it."""
        return [*self.model.tokenizer.encode(text), self.model.tokenizer.end_id]

    def read(self, ids: Sequence[int]) -> str:
        """The text of ids."""
        return self.model.tokenizer.decode(ids)

    def token(self, text: str) -> int:
        """The id of one token. Raises InputError when there is none."""
        if text not in self.model.tokenizer.ids:
            raise InputError(f"{self.spec} has no token {text!r}")
        return self.model.tokenizer.ids[text]

    # -- forward ------------------------------------------------------------------------------------------------------

    def forward(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """Logits and normalised last states of the network in training."""
        return _read(self.network, turns)

    def refer(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
        """The same of the weights that training began with."""
        if self.reference is None:
            self.reference = copy.deepcopy(self.network).requires_grad_(False)
            self.reference.load_state_dict(self.start)
        return _read(self.reference, turns)

    def head(self, hidden: Tensor) -> Tensor:
        """Logits of normalised last states."""
        return self.network.logits(hidden)

    # -- weights ------------------------------------------------------------------------------------------------------

    def publish(self, version: str) -> None:
        """Let the numpy decoder sample with the trained weights."""
        self.model.load_weights(self._tensors(), version)

    def _tensors(self) -> dict[str, Any]:
        return {name: weight.detach().numpy() for name, weight in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Weights, optimizer, torch's random state."""
        return {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "start": self.start,
            "random": torch.get_rng_state(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.start, self.reference = state["start"], None
        torch.set_rng_state(state["random"])

    def export(self, folder: Path) -> None:
        """`config.json`, `model.safetensors` and the tokenizer's files."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: np.ascontiguousarray(weight) for name, weight in self._tensors().items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "model.safetensors").chmod(0o644)
        config = {**self.network.shape.as_config(), "torch_dtype": "float32", "nosce_dialect": self.model.dialect}
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        marks.save(folder)

    def named(self, folder: Path) -> str:
        """How an exported folder is named as a model."""
        return f"socrates:{folder}"

    def memory(self, tokens: int) -> int:
        """Weights, gradients, two moments and a reference, and what a layer keeps of every token for the way back."""
        shape = self.network.shape
        weights = sum(weight.numel() for weight in self.network.parameters())
        kept = shape.layers * (12 * shape.width + 4 * shape.hidden) + 4 * shape.vocabulary
        return 4 * (6 * int(weights) + kept * tokens)


def _read(network: Decoder, turns: Sequence[Turn]) -> tuple[Tensor, Tensor]:
    final = network.read([turn.prompt for turn in turns], [turn.tokens for turn in turns])
    return network.logits(final), final


__all__ = ["TinyEngine", "laid_flat"]
