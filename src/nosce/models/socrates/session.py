"""One sequence under construction that can be forked, hooked and read inside, for what acts within generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nosce.core.errors import InputError
from nosce.models.socrates.incremental import KeyValueCache, Stepper
from nosce.models.socrates.network import Edit, Floats, Network
from nosce.models.socrates.threads import one_blas_thread

if TYPE_CHECKING:
    from nosce.models.socrates.tokenizer import SocratesTokenizer

Hook = Callable[[Floats], Floats | None]
"""Takes the newest token's hidden state [d]; returns what goes on in its place (None leaves it)."""


class Session:
    """A prompt and what has been added to it, with the state of the network after the last token.

    The last token is run when its results are first asked for, so a hook or a bias set before that already acts on it.
    Hooks act on that token and all later ones, never on the part of the prompt before it. A tokenizer is needed for
    `encode` and `decode`.
    """

    def __init__(self, network: Network, prompt: Sequence[int], tokenizer: SocratesTokenizer | None = None) -> None:
        self.network = network
        self._tokenizer = tokenizer
        self.tokens = list(prompt)
        self.bias: Floats | None = None
        self._hooks: dict[int, list[Hook]] = {}
        self._stepper = Stepper(network, 1)
        self._cache = KeyValueCache(network, 1)
        self._done = len(self.tokens) - 1  # tokens whose keys and values are in the cache
        self._logits: Floats = np.empty(0, dtype=np.float32)
        self._states: Floats = np.empty(0, dtype=np.float32)
        if not 0 < len(self.tokens) <= network.context:
            raise InputError(f"a prompt of {len(self.tokens)} tokens; expected 1 to {network.context}, the context")
        if self._done:
            self._cache.fill([self.tokens[:-1]], np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))

    @property
    def logits(self) -> Floats:
        """Next-token logits [V] after the tokens so far, with the bias added."""
        self._catch_up()
        return self._logits.copy() if self.bias is None else self._logits + self.bias

    @property
    def states(self) -> Floats:
        """Hidden states [layers + 1, d] of the last token (0 the embedding), as its hooks left them."""
        self._catch_up()
        return self._states.copy()

    @property
    def final_hidden(self) -> Floats:
        """The normalised last hidden state [d] that the head reads: logits = lm_head @ final_hidden."""
        return self.network.final(self.states[-1])

    @property
    def lm_head(self) -> Floats:
        """The head's matrix [V, d]."""
        return self.network.lm_head

    def head(self, final_hidden: Floats) -> Floats:
        """Logits [..., V] of final hidden states [..., d]."""
        found: Floats = final_hidden @ self.lm_head.T
        return found

    def step(self, token: int) -> None:
        """Append a token; `logits` and the hidden states then belong to it."""
        if len(self.tokens) >= self.network.context:
            raise InputError(f"the sequence fills the context of {self.network.context} tokens; stop before that")
        self._catch_up()
        self.tokens.append(int(token))

    def fork(self) -> Session:
        """An independent copy, hooks and bias included."""
        twin = Session.__new__(Session)
        twin.network, twin._tokenizer = self.network, self._tokenizer
        twin.tokens, twin._done = self.tokens.copy(), self._done
        twin.bias = None if self.bias is None else self.bias.copy()
        twin._hooks = {layer: hooks.copy() for layer, hooks in self._hooks.items()}
        twin._stepper, twin._cache = Stepper(self.network, 1), self._cache.fork()
        twin._logits, twin._states = self._logits.copy(), self._states.copy()
        return twin

    def hook(self, layer: int, edit: Hook) -> None:
        """Pass hidden state `layer` (0 embedding, k after layer k) of every token still to run through `edit`."""
        if not 0 <= layer <= self.network.shape.layers:
            raise InputError(f"layer {layer}; expected 0 (the embedding) to {self.network.shape.layers}")
        self._hooks.setdefault(layer, []).append(edit)

    def unhook(self, layer: int | None = None) -> None:
        """Remove the hooks of one layer, or all."""
        self._hooks = {} if layer is None else {k: v for k, v in self._hooks.items() if k != layer}

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self._words().encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return self._words().decode(ids)

    def _words(self) -> SocratesTokenizer:
        if self._tokenizer is None:
            raise InputError("this session was opened without a tokenizer; pass one to Session")
        return self._tokenizer

    def _catch_up(self) -> None:
        """Run the last token if that has not been done."""
        if self._done == len(self.tokens):
            return
        states: list[Floats] = []
        edits = {layer: self._edit(layer, states) for layer in range(self.network.shape.layers + 1)}
        self._cache.reserve(len(self.tokens))
        with one_blas_thread():
            last, place = np.array(self.tokens[-1:]), np.array([len(self.tokens) - 1])
            self._logits = self._stepper.step(self._cache, 0, last, place, edits)[0].copy()
        self._states = np.stack(states)
        self._done += 1

    def _edit(self, layer: int, states: list[Floats]) -> Edit:
        """Apply the layer's hooks in order and note what remains."""

        def edit(x: Floats) -> None:
            for hook in self._hooks.get(layer, ()):
                changed = hook(x[0].copy())
                if changed is not None:
                    x[0] = changed
            states.append(x[0].copy())

        return edit
