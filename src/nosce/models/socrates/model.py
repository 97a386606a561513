"""The bundled model as a Model: requests of many strategies share one running batch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError, ModelError
from nosce.core.streams import fingerprint
from nosce.models.base import Capabilities, Prompt, Request, Sample
from nosce.models.socrates import weights
from nosce.models.socrates.decoder import Decoder, Row
from nosce.models.socrates.network import Network, log_softmax
from nosce.models.socrates.tokenizer import SocratesTokenizer

if TYPE_CHECKING:
    from nosce.models.socrates.session import Session

TOP = 10
"""Most alternatives per token; enough for a whole rating."""


def _dialect(folder: Path) -> str:
    """What a trained checkpoint says of itself in config.json, else by the name of the folder."""
    said = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("nosce_dialect")
    return str(said or ("socrates" if folder.name == "socrates" else "socrates-base"))


@dataclass(slots=True)
class _Waiting:
    rows: list[Row]
    left: int
    done: asyncio.Future[None]


class SocratesModel:
    """`socrates`, `socrates-base` or `socrates-weak`, or a folder with weights of the same kind; numpy alone.

    Rows of concurrent requests are decoded in one batch of at most `slots`; finished rows leave, waiting rows join.
    Log-probabilities and entropies are rounded to 5 decimals, so that what is journalled is what was used.
    """

    remote = False
    capabilities = Capabilities(
        logprobs=True, top=TOP, n=True, seed=True, continuation=True, stop=True, usage=True, score=True, session=True,
        hidden=True, bias=True, steer=True,
    )  # fmt: skip

    def __init__(self, name: str = "socrates", *, slots: int = 256, dialect: str | None = None) -> None:
        folder = Path(name.removeprefix("socrates:")) if "/" in name else weights(name)
        if not (folder / "model.safetensors").exists():
            raise InputError(f"{folder}: no model.safetensors there; expected a folder with the weights of a bundled model")
        self.spec = name
        self.network = Network.load(folder)
        self.tokenizer = SocratesTokenizer()
        self.version = f"{folder.name}-{fingerprint((folder / 'model.safetensors').read_bytes().hex(), size=6)}"
        self.folder, self.dialect = folder, dialect or _dialect(folder)
        self.context = self.network.context
        self._decoder = Decoder(self.network, slots)
        self._requests: dict[int, _Waiting] = {}
        self._pump: asyncio.Task[None] | None = None

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt, exactly. Raises ModelError for a text outside the vocabulary."""
        return len(self.encode(prompt))

    def load_weights(self, tensors: dict[str, NDArray[Any]], version: str) -> None:
        """Go on with other weights of the same shape (Hugging Face names), under another version."""
        self.network.load_weights(tensors)
        self.version = version

    def encode(self, prompt: Prompt) -> list[int]:
        """The ids that the model reads. Raises ModelError for a text outside the vocabulary."""
        if prompt.messages:
            raise ModelError(f"{self.spec} reads its own grammar, not chat messages")
        try:
            return self.tokenizer.encode(f"{prompt.text} {prompt.prefix}".strip())
        except ValueError as error:
            raise ModelError(str(error)) from None

    async def sample(self, request: Request) -> list[Sample]:
        """n samples in the order of the request's keys. Cancelling takes the rows out of the batch."""
        rows = self._rows(request)
        waiting = _Waiting(rows, len(rows), asyncio.get_running_loop().create_future())
        self._requests.update((id(row), waiting) for row in rows)
        self._decoder.submit(rows)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        try:
            await waiting.done
        finally:
            for row in rows:
                if self._requests.pop(id(row), None) is not None:
                    self._decoder.cancel(row)
        return [self._sample(row, len(rows[0].prompt)) for row in rows]

    def _rows(self, request: Request) -> list[Row]:
        prompt, ids = self.encode(request.prompt), self.tokenizer.ids
        stop = frozenset(ids[text] for text in request.stop if text in ids) | {self.tokenizer.end_id}
        bias = self._bias(request)
        steer = None if request.steer is None else (request.steer[0], np.asarray(request.steer[1], dtype=np.float32))
        return [
            Row(key, prompt, request.max_tokens, request.temperature, request.top_p, stop, bias, steer, min(request.top, TOP))
            for key in request.keys
        ]

    def _bias(self, request: Request) -> NDArray[np.float32] | None:
        if not request.bias:
            return None
        bias = np.zeros(len(self.tokenizer), dtype=np.float32)
        for token, value in request.bias.items():
            if token not in self.tokenizer.ids:
                raise InputError(f"bias on {token!r}: {self.spec} has no such token")
            bias[self.tokenizer.ids[token]] = value
        return bias

    async def _run(self) -> None:
        """Step the batch until nothing is left; between steps whoever has been served goes on."""
        await asyncio.sleep(0)
        while self._requests:
            try:
                finished = self._decoder.step()
            except Exception as error:
                self._fail(error)
                raise
            for row in finished:
                waiting = self._requests.pop(id(row), None)
                if waiting is not None:
                    waiting.left -= 1
                    if not waiting.left and not waiting.done.done():
                        waiting.done.set_result(None)
            await asyncio.sleep(0)

    def _fail(self, error: Exception) -> None:
        for waiting in self._requests.values():
            if not waiting.done.done():
                waiting.done.set_exception(ModelError(f"{self.spec} failed while decoding: {error}"))
        self._requests.clear()

    def _sample(self, row: Row, prompt_tokens: int) -> Sample:
        ids = row.tokens[:-1] if row.finish == "stop" else row.tokens
        words = self.tokenizer.tokens
        top = tuple(
            tuple((words[i], round(lp, 5)) for i, lp in zip(*alternatives, strict=True)) for alternatives in row.topk
        )
        return Sample(
            self.tokenizer.decode(ids), row.finish or "length", tuple(row.tokens), tuple(round(x, 5) for x in row.logprobs),
            tuple(round(x, 5) for x in row.entropies), top or None, prompt_tokens, len(row.tokens),
        )  # fmt: skip

    async def score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Log-probability (nats) of each option as the continuation of the prompt."""
        ids = self.encode(prompt)
        given = self.network.score([ids] * len(options), [self.tokenizer.encode(option) for option in options])
        return [float(tokens.sum()) for tokens in given]

    def hidden(self, prompt: Prompt) -> NDArray[np.float32]:
        """Hidden states [layers + 1, tokens, d]."""
        return self.network.hidden(self.encode(prompt))

    def reread(
        self, prompt: Prompt, ids: Sequence[int], *, keep: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Log-probabilities [T] of given tokens, and what each layer prefers in their place [layers + 1, T]."""
        before = self.encode(prompt)[-(keep or 0) :]
        states = self.network.hidden([*before, *ids])[:, len(before) - 1 : -1]  # [layers + 1, T, d]
        logits = self.network.read_out(states)
        return log_softmax(logits[-1])[np.arange(len(ids)), list(ids)], logits.argmax(axis=-1)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return self.tokenizer.decode(ids)

    def session(self, prompt: Prompt) -> Session:
        """A decode session that has read the prompt."""
        from nosce.models.socrates.session import Session

        return Session(self.network, self.encode(prompt), self.tokenizer)

    async def close(self) -> None:
        """Release the threads."""
        self._decoder.close()
