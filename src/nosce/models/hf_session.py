"""One sequence under construction on a model of transformers, for what acts within generation."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError
from nosce.models._generate import edited, layers_of
from nosce.models._words import Words

Floats = NDArray[np.float32]
Hook = Callable[[Floats], Floats | None]


class HFSession:
    """A prompt and what has been added to it, with the network's state after the last token.

    The last token is run when its results are first asked for, so a hook or a bias set before that already acts on it.
    Hooks act on that token and all later ones. `bias` [V] is added to `logits`. final_hidden is what the head reads:
    logits = lm_head @ final_hidden where the model does not scale or cap them.
    """

    def __init__(self, network: Any, prompt: Sequence[int], words: Words, context: int, lock: threading.RLock) -> None:
        if not 0 < len(prompt) <= context:
            raise InputError(f"a prompt of {len(prompt)} tokens; expected 1 to {context}, the context")
        self.network, self._words, self._context, self._lock = network, words, context, lock
        self.tokens = list(prompt)
        self.bias: Floats | None = None
        self._depth = len(layers_of(network))
        self._hooks: dict[int, list[Hook]] = {}
        self._cache: Any = None
        self._done = 0
        self._logits = self._states = self._final = np.empty(0, dtype=np.float32)
        if len(prompt) > 1:
            self._forward(self.tokens[:-1], {})

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
        """The normalised last hidden state [d] that the head reads."""
        self._catch_up()
        return self._final.copy()

    @property
    def lm_head(self) -> Floats:
        """The head's matrix [V, d]."""
        head: Floats = self.network.get_output_embeddings().weight.detach().float().cpu().numpy()
        return head

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

    def fork(self) -> HFSession:
        """An independent copy, hooks and bias included."""
        twin = copy.copy(self)
        twin.tokens, twin._cache = self.tokens.copy(), copy.deepcopy(self._cache)
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
        return self._words.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return self._words.decode(ids)

    def _catch_up(self) -> None:
        if self._done == len(self.tokens):
            return
        states: dict[int, Floats] = {}
        self._forward(self.tokens[self._done :], {k: self._edit(k, states) for k in range(self._depth + 1)})
        self._states = np.stack([states[k] for k in range(self._depth + 1)])

    def _edit(self, layer: int, states: dict[int, Floats]) -> Callable[[Any], Any]:
        """Apply the layer's hooks in order to the last position of [1, T, d] and note what remains."""
        import torch

        def edit(x: Any) -> Any:
            row = x[0, -1].float().cpu().numpy()
            for hook in self._hooks.get(layer, ()):
                changed = hook(row.copy())
                row = row if changed is None else np.asarray(changed, dtype=np.float32)
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
