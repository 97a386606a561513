"""What every sequence under construction shares: its tokens, bias and hooks, and results that are run when they are asked for."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError

Floats = NDArray[np.float32]
Hook = Callable[[Floats], Floats | None]
"""Takes the newest token's hidden state [d]; returns what goes on in its place (None leaves it)."""


class SessionBase(ABC):
    """A prompt and what has been added to it, with the network's state after the last token.

    The last token is run when its results are first asked for, so a hook or a bias set before that already acts on it.
    Hooks act on that token and all later ones, never on the part of the prompt before it. `bias` [V] is added to `logits`.
    """

    def __init__(self, prompt: Sequence[int], context: int, depth: int, words: Any) -> None:
        if not 0 < len(prompt) <= context:
            raise InputError(f"a prompt of {len(prompt)} tokens; expected 1 to {context}, the context")
        self.tokens = list(prompt)
        self.bias: Floats | None = None
        self._context, self._depth, self._words = context, depth, words
        self._hooks: dict[int, list[Hook]] = {}
        self._cache: Any = None
        self._done = 0  # tokens whose keys and values are in the cache
        self._logits = self._states = np.empty(0, dtype=np.float32)

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
    @abstractmethod
    def final_hidden(self) -> Floats:
        """The normalised last hidden state [d] that the head reads."""

    @property
    @abstractmethod
    def lm_head(self) -> Floats:
        """The head's matrix [V, d]."""

    def head(self, final_hidden: Floats) -> Floats:
        """Logits [..., V] of final hidden states [..., d]."""
        found: Floats = final_hidden @ self.lm_head.T
        return found

    def step(self, token: int) -> None:
        """Append a token; `logits` and the hidden states then belong to it."""
        if len(self.tokens) >= self._context:
            raise InputError(f"the sequence fills the context of {self._context} tokens; stop before that")
        self._catch_up()
        self.tokens.append(int(token))

    def fork(self) -> Self:
        """An independent copy, hooks and bias included."""
        twin = copy.copy(self)
        twin.tokens, twin._cache = self.tokens.copy(), self._forked_cache()
        twin.bias = None if self.bias is None else self.bias.copy()
        twin._hooks = {layer: hooks.copy() for layer, hooks in self._hooks.items()}
        return twin

    def hook(self, layer: int, edit: Hook) -> None:
        """Pass hidden state `layer` (0 embedding, k after block k) of every token still to run through `edit`."""
        if not 0 <= layer <= self._depth:
            raise InputError(f"layer {layer}; expected 0 (the embedding) to {self._depth}")
        self._hooks.setdefault(layer, []).append(edit)

    def unhook(self, layer: int | None = None) -> None:
        """Remove the hooks of one layer, or all."""
        self._hooks = {} if layer is None else {k: v for k, v in self._hooks.items() if k != layer}

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        found: list[int] = self._speaker().encode(text)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return str(self._speaker().decode(ids))

    def _speaker(self) -> Any:
        if self._words is None:
            raise InputError("this session was opened without a tokenizer; pass one to Session")
        return self._words

    def _catch_up(self) -> None:
        """Run the last token if that has not been done."""
        if self._done < len(self.tokens):
            self._run()

    def _hooked(self, layer: int, state: Floats) -> Floats:
        """The state [d] after the layer's hooks, in order."""
        for hook in self._hooks.get(layer, ()):
            changed = hook(state.copy())
            state = state if changed is None else np.asarray(changed, dtype=np.float32)
        return state

    @abstractmethod
    def _forked_cache(self) -> Any: ...

    @abstractmethod
    def _run(self) -> None:
        """Run the tokens that are not in the cache; set `_logits`, `_states` and `_done`."""
