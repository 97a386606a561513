"""One sequence under construction that can be forked, hooked and read inside, for what acts within generation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nosce.models.session_base import SessionBase
from nosce.models.socrates.incremental import KeyValueCache, Stepper
from nosce.models.socrates.network import Edit, Floats, Network
from nosce.models.socrates.threads import one_blas_thread

if TYPE_CHECKING:
    from nosce.models.socrates.tokenizer import SocratesTokenizer


class Session(SessionBase):
    """A session on the bundled model: logits = lm_head @ final_hidden. A tokenizer is needed for `encode` and `decode`."""

    def __init__(self, network: Network, prompt: Sequence[int], tokenizer: SocratesTokenizer | None = None) -> None:
        super().__init__(prompt, network.context, network.shape.layers, tokenizer)
        self.network = network
        self._stepper, self._cache = Stepper(network, 1), KeyValueCache(network, 1)
        self._done = len(self.tokens) - 1
        if self._done:
            self._cache.fill([self.tokens[:-1]], np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))

    @property
    def final_hidden(self) -> Floats:
        """The normalised last hidden state [d] that the head reads."""
        return self.network.final(self.states[-1])

    @property
    def lm_head(self) -> Floats:
        """The head's matrix [V, d]."""
        return self.network.lm_head

    def fork(self) -> Session:
        """An independent copy, hooks and bias included."""
        twin = super().fork()
        twin._stepper = Stepper(self.network, 1)
        return twin

    def _forked_cache(self) -> KeyValueCache:
        forked: KeyValueCache = self._cache.fork()
        return forked

    def _run(self) -> None:
        states: list[Floats] = []
        edits = {layer: self._edit(layer, states) for layer in range(self._depth + 1)}
        self._cache.reserve(len(self.tokens))
        with one_blas_thread():
            last, place = np.array(self.tokens[-1:]), np.array([len(self.tokens) - 1])
            self._logits = self._stepper.step(self._cache, 0, last, place, edits)[0].copy()
        self._states = np.stack(states)
        self._done += 1

    def _edit(self, layer: int, states: list[Floats]) -> Edit:
        """Apply the layer's hooks and note what remains."""

        def edit(x: Floats) -> None:
            if layer in self._hooks:
                x[0] = self._hooked(layer, x[0])
            states.append(x[0].copy())

        return edit
