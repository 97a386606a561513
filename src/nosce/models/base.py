"""What can be sampled: the request, the sample, and what a model may be able to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nosce.core.problem import Message
from nosce.core.streams import fingerprint


@dataclass(frozen=True)
class Prompt:
    """What the model reads: chat `messages`, or raw `text` for a model without a chat format.

    `prefix` is what the completion must begin with (going on from a thought); it is not repeated in the samples.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    prefix: str = ""

    @cached_property
    def key(self) -> str:
        """Digest of what the model reads."""
        return fingerprint(tuple((m.role, m.content) for m in self.messages), self.text, self.prefix)


@dataclass(frozen=True, slots=True)
class Request:
    """n samples of one prompt. `keys` holds one random stream per sample (their number is n).

    `top` asks for that many alternatives per token; `stop` strings end a sample and are left out of its text.
    `bias` adds to the logits of tokens named by their text, at every step; `steer` (k, vector) adds a vector to hidden
    state k (0 the embedding, k after the k-th layer) of every new token.
    """

    prompt: Prompt
    keys: tuple[int, ...] = (0,)
    max_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    top: int = 0
    bias: Mapping[str, float] = field(default_factory=dict)
    steer: tuple[int, tuple[float, ...]] | None = None

    @property
    def n(self) -> int:
        """How many samples are wanted."""
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion. Log-probabilities and entropies are in nats, under the model at temperature 1 before any bias."""

    text: str
    finish: str = "stop"
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] | None = None
    entropies: tuple[float, ...] | None = None
    top: tuple[tuple[tuple[str, float], ...], ...] | None = None
    prompt_tokens: int = 0  # of the whole prompt, in every sample of a request
    completion_tokens: int = 0
    money: float = 0.0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a model really does, as seen (by a probe where it is remote), not as documented.

    `most` is how many samples it gives in one request (0: no limit); `sampling`, whether two draws come out different.
    """

    logprobs: bool = False
    top: int = 0
    n: bool = False
    most: int = 0
    seed: bool = False
    continuation: bool = False
    stop: bool = True
    sampling: bool = True
    streaming: bool = False
    usage: bool = True
    score: bool = False
    session: bool = False
    hidden: bool = False
    bias: bool = False
    steer: bool = False

    @property
    def provides(self) -> frozenset[str]:
        """The needs (of nosce.core.registry.NEEDS) that a model with these capabilities meets."""
        seen = {"blackbox", "roster", "none", "memory", "artifact"}
        return frozenset(seen | {k for k in ("logprobs", "continuation", "session", "hidden") if getattr(self, k)})


@runtime_checkable
class Model(Protocol):
    """Anything that can be sampled.

    `spec` is how it was named, `version` identifies its weights or server (part of every cache key), `dialect` names
    how mental acts are rendered for it, `remote` says that calls cost money or a network and must be journalled first.
    """

    spec: str
    version: str
    dialect: str
    remote: bool
    context: int
    capabilities: Capabilities

    async def sample(self, request: Request) -> list[Sample]:
        """n samples in the order of the request's keys. Raises ModelError after its own retries."""

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt: exact on a local model, an upper estimate on a remote one."""

    async def close(self) -> None:
        """Release what is held."""


@runtime_checkable
class Scorer(Protocol):
    """A model that can tell how likely given continuations are (capability `score`)."""

    async def score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Log-probability (nats) of each option as the continuation of the prompt, summed over its tokens."""


@runtime_checkable
class Embedder(Protocol):
    """A model whose hidden states can be read (capability `hidden`)."""

    def hidden(self, prompt: Prompt) -> NDArray[np.float32]:
        """Hidden states [layers + 1, tokens, d]: the embedding, then the residual stream after each layer."""


@runtime_checkable
class Rereads(Protocol):
    """A local model that can go over given tokens again (capability `hidden`)."""

    def reread(
        self, prompt: Prompt, ids: Sequence[int], *, keep: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """What the model makes of tokens `ids` [T] after the prompt, or after its last `keep` tokens alone.

        Their log-probabilities [T] in nats, and the token [layers + 1, T] that each hidden state (0 the embedding), read through
        the final norm and the head, prefers in their place.
        """

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""


Hook = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Takes the residual stream of the newest token after a layer, [d], and returns what goes on in its place."""


class DecodeSession(Protocol):
    """One sequence under construction on a local model (capability `session`), for what acts inside generation."""

    tokens: list[int]

    @property
    def logits(self) -> NDArray[np.float32]:
        """Next-token logits [V] after the tokens so far."""

    @property
    def final_hidden(self) -> NDArray[np.float32]:
        """The normalised last hidden state [d] that the head reads."""

    @property
    def lm_head(self) -> NDArray[np.float32]:
        """The head's matrix [V, d]: logits = lm_head @ final_hidden."""

    def step(self, token: int) -> None:
        """Append a token and run the model on it."""

    def fork(self) -> DecodeSession:
        """An independent copy that shares nothing mutable."""

    def hook(self, layer: int, edit: Hook) -> None:
        """From the next step on, pass the residual stream after `layer` through `edit`."""

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""


@runtime_checkable
class Opens(Protocol):
    """A model that opens decode sessions (capability `session`)."""

    def session(self, prompt: Prompt) -> DecodeSession:
        """A session that has read the prompt."""


def as_dict(capabilities: Capabilities) -> dict[str, Any]:
    """The capabilities as plain data, in declaration order."""
    return {name: getattr(capabilities, name) for name in capabilities.__slots__}
