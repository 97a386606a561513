"""One sequence under construction on a model of transformers, for what acts within generation."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nosce.models._generate import edited, layers_of
from nosce.models._words import Words
from nosce.models.session_base import Floats, SessionBase


class HFSession(SessionBase):
    """A session whose final_hidden is what the head reads: logits = lm_head @ final_hidden where the model does not scale or
    cap them.
    """

    def __init__(self, network: Any, prompt: Sequence[int], words: Words, context: int, lock: threading.RLock) -> None:
        super().__init__(prompt, context, len(layers_of(network)), words)
        self.network, self._lock = network, lock
        self._final = np.empty(0, dtype=np.float32)
        if len(prompt) > 1:
            self._forward(self.tokens[:-1], {})

    @property
    def final_hidden(self) -> Floats:
        """The normalised last hidden state [d] that the head reads."""
        self._catch_up()
        return self._final.copy()

    @property
    def lm_head(self) -> Floats:
        """The head's matrix [V, d]."""
        head: Floats = self.network.get_output_embeddings().weight.detach().float().cpu().numpy()
        return head

    def _forked_cache(self) -> Any:
        return copy.deepcopy(self._cache)

    def _run(self) -> None:
        states: dict[int, Floats] = {}
        self._forward(self.tokens[self._done :], {k: self._edit(k, states) for k in range(self._depth + 1)})
        self._states = np.stack([states[k] for k in range(self._depth + 1)])

    def _edit(self, layer: int, states: dict[int, Floats]) -> Callable[[Any], Any]:
        """Apply the layer's hooks to the last position of [1, T, d] and note what remains."""
        import torch

        def edit(x: Any) -> Any:
            row = self._hooked(layer, x[0, -1].float().cpu().numpy())
            states[layer] = row.copy()
            if layer in self._hooks:
                x = x.clone()
                x[0, -1] = torch.from_numpy(row.copy()).to(x)
            return x

        return edit

    def _forward(self, tokens: Sequence[int], edits: dict[int, Callable[[Any], Any]]) -> None:
        """Run tokens [T] after those in the cache; note logits and what the head read, for the last of them."""
        import torch

        read: list[Any] = []
        head = self.network.get_output_embeddings()
        with self._lock, torch.inference_mode(), edited(self.network, edits):
            handle = head.register_forward_pre_hook(lambda _, args: read.append(args[0][0, -1]))
            try:
                ids = torch.tensor([list(tokens)], device=self.network.device)
                out = self.network(input_ids=ids, past_key_values=self._cache, use_cache=True)
            finally:
                handle.remove()
        self._cache, self._done = out.past_key_values, self._done + len(tokens)
        self._logits = out.logits[0, -1].float().cpu().numpy()
        self._final = read[-1].float().cpu().numpy()
