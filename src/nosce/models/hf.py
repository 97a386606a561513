"""`hf:PATH_OR_NAME`: any causal LM of transformers, on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import CapabilityError, InputError, ModelError
from nosce.core.streams import fingerprint
from nosce.models import _choices
from nosce.models._words import Words, words_of
from nosce.models.base import Capabilities, Prompt, Request, Sample

if TYPE_CHECKING:
    from nosce.models._generate import Row
    from nosce.models.hf_session import HFSession

TOP = 20
Steer = tuple[int, tuple[float, ...]] | None


@dataclass(slots=True, eq=False)
class _Waiting:
    rows: list[Row]
    steer: Steer
    done: asyncio.Future[None]


class HFModel:
    """A causal LM of transformers: batched sampling, scores, hidden states, decode sessions.

    path: a folder, or a name in the local cache; nothing is downloaded unless download=True, and no code that comes with
    a model is ever run. Requests that wait are decoded together in the next batch of at most `slots` rows; each row has
    its own random stream, so the batch does not change what is drawn, up to rounding. The weights of the bundled model
    are recognised and read in its own dialect. Needs the extra `local`. Log-probabilities and entropies are rounded to
    5 decimals. Raises InputError when the model is not there, CapabilityError without torch or transformers.
    """

    remote = False
    capabilities = Capabilities(
        logprobs=True, top=TOP, n=True, seed=True, continuation=True, stop=True, usage=True, score=True, session=True,
        hidden=True, bias=True, steer=True,
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        *,
        device: str = "cpu",
        dtype: str = "float32",
        slots: int = 64,
        dialect: str | None = None,
        download: bool = False,
        context: int | None = None,
    ) -> None:
        self.spec = f"hf:{path}"
        self.network, self.words = _opened(path, device, dtype, download)
        self.dialect = dialect or self.words.dialect
        config = self.network.config.get_text_config()
        self.context = context or int(getattr(config, "max_position_embeddings", 0) or 4096)
        self.version = f"{Path(path).name}-{_digest(self.network)}"
        self._slots, self._ends = slots, _ends(self.network, self.words)
        self._queue: list[_Waiting] = []
        self._pump: asyncio.Task[None] | None = None
        self.lock = threading.RLock()

    def __repr__(self) -> str:
        return f"HFModel({self.spec!r})"

    def count(self, prompt: Prompt) -> int:
        """Tokens of the prompt, exactly."""
        return len(self.encode(prompt))

    def encode(self, prompt: Prompt) -> list[int]:
        """The ids that the model reads."""
        return self.words.prompt(prompt)

    async def close(self) -> None:
        """Nothing is held but memory."""

    async def sample(self, request: Request) -> list[Sample]:
        """n samples in the order of the request's keys. Raises InputError for a bias on what is no token, ModelError else."""
        rows = self._rows(request)
        waiting = _Waiting(rows, request.steer, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())
        try:
            await waiting.done
        finally:
            for row in rows:
                row.cancelled = True
        return [self._sample(row, request) for row in rows]

    def _rows(self, request: Request) -> list[Row]:
        from nosce.models._generate import Row

        prompt = tuple(self.words.prompt(request.prompt))
        most = min(request.max_tokens, self.context - len(prompt))
        if most < 1 or not prompt:
            raise ModelError(f"{self.spec}: the prompt has {len(prompt)} tokens; expected 1 to {self.context - 1}, the context")
        strings = (*request.stop, *self.words.stops(request.prompt))
        stop = self._ends | {i for s in strings if (i := self.words.one(s)) is not None}
        bias = tuple((self._token(text), float(value)) for text, value in request.bias.items())
        ended = self._ended(strings) if strings else None
        top = min(request.top, TOP)
        return [Row(k, prompt, most, request.temperature, request.top_p, top, stop, bias, ended) for k in request.keys]

    def _ended(self, strings: Sequence[str]) -> Any:
        def ended(tokens: Sequence[int]) -> bool:
            return _choices.cut(self.words.decode(tokens), strings) is not None

        return ended

    def _token(self, text: str) -> int:
        found = self.words.one(text)
        if found is None:
            raise InputError(f"bias on {text!r}: {self.spec} has no such token")
        return found

    def _sample(self, row: Row, request: Request) -> Sample:
        ids = row.tokens[:-1] if row.tokens and row.tokens[-1] in row.stop else row.tokens
        text = self.words.decode(ids)
        at = _choices.cut(text, (*request.stop, *self.words.stops(request.prompt)))
        top = tuple(tuple((self.words.name(i), round(v, 5)) for i, v in pairs) for pairs in row.alternatives)
        return Sample(
            text[:at], row.finish, tuple(row.tokens), tuple(round(v, 5) for v in row.logprobs),
            tuple(round(v, 5) for v in row.entropies), top or None, len(row.prompt), len(row.tokens),
        )  # fmt: skip

    async def _run(self) -> None:
        """Batch after batch until nobody waits; torch works in a thread of its own."""
        await asyncio.sleep(0.001)
        while batch := self._next():
            try:
                rows = [row for waiting in batch for row in waiting.rows if not row.finish and not row.cancelled]
                for first in range(0, len(rows), self._slots):
                    await asyncio.to_thread(self._decode, rows[first : first + self._slots], batch[0].steer)
                error = None
            except Exception as failed:
                error = ModelError(f"{self.spec} failed while decoding: {' '.join(str(failed).split())[:200]}")
            except BaseException:
                for waiting in [*batch, *self._queue]:
                    waiting.done.cancel()
                raise
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_result(None) if error is None else waiting.done.set_exception(error)
            await asyncio.sleep(0)

    def _next(self) -> list[_Waiting]:
        """The requests of the next batch: those at the head of the queue that are steered alike and fit."""
        taken, size = list[_Waiting](), 0
        self._queue = [w for w in self._queue if not w.done.done()]
        while self._queue and (w := self._queue[0]) and (not taken or size + len(w.rows) <= self._slots):
            if taken and w.steer != taken[0].steer:
                break
            taken.append(self._queue.pop(0))
            size += len(w.rows)
        return taken

    def _decode(self, rows: Sequence[Row], steer: Steer) -> None:
        from nosce.models._generate import generate

        with self.lock:
            generate(self.network, rows, steer)

    async def score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        """Log-probability (nats) of each option as continuation; tokens that straddle the border count as the option's."""
        return await asyncio.to_thread(self._score, prompt, options)

    def _score(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        import torch

        start, found = self.words.prompt(prompt), []
        with self.lock, torch.inference_mode():
            for option in options:
                whole = self.words.joined(prompt, option)
                shared = next((i for i, (a, b) in enumerate(zip(start, whole, strict=False)) if a != b), len(start))
                ids = torch.tensor([whole], device=self.network.device)
                plain = torch.log_softmax(self.network(input_ids=ids).logits[0].float(), -1)
                rest = ids[0, max(shared, 1) :]
                found.append(float(plain[max(shared, 1) - 1 : -1].gather(1, rest[:, None]).sum()) if len(rest) else 0.0)
        return found

    def hidden(self, prompt: Prompt) -> NDArray[np.float32]:
        """Hidden states [layers + 1, tokens, d]: the embedding, then the residual stream after each block."""
        import torch

        from nosce.models._generate import edited, layers_of

        states: dict[int, Any] = {}

        def noting(k: int) -> Any:
            def note(x: Any) -> Any:
                states[k] = x[0].float().cpu().numpy()
                return x

            return note

        ids = torch.tensor([self.words.prompt(prompt)], device=self.network.device)
        depth = len(layers_of(self.network))
        with self.lock, torch.inference_mode(), edited(self.network, {k: noting(k) for k in range(depth + 1)}):
            self.network(input_ids=ids)
        return np.stack([states[k] for k in range(depth + 1)])

    def reread(
        self, prompt: Prompt, ids: Sequence[int], *, keep: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Log-probabilities [T] of given tokens, and what each layer prefers in their place [layers + 1, T]."""
        import torch

        from nosce.models._generate import edited, final_norm_of, layers_of

        before, preferred = self.words.prompt(prompt)[-(keep or 0) :], dict[int, Any]()
        head, norm, depth = self.network.get_output_embeddings(), final_norm_of(self.network), len(layers_of(self.network))

        def reading(k: int) -> Any:
            def read(x: Any) -> Any:
                preferred[k] = head(norm(x[0, len(before) - 1 : -1])).argmax(-1)
                return x

            return read

        whole = torch.tensor([[*before, *ids]], device=self.network.device)
        with self.lock, torch.inference_mode(), edited(self.network, {k: reading(k) for k in range(depth + 1)}):
            logits = self.network(input_ids=whole).logits[0, len(before) - 1 : -1].float()
        found = torch.log_softmax(logits, -1).gather(1, whole[0, len(before) :, None])[:, 0]
        return found.cpu().numpy(), torch.stack([preferred[k] for k in range(depth + 1)]).cpu().numpy()

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids."""
        return self.words.decode(ids)

    def session(self, prompt: Prompt) -> HFSession:
        """A decode session that has read the prompt."""
        from nosce.models.hf_session import HFSession

        return HFSession(self.network, self.words.prompt(prompt), self.words, self.context, self.lock)


def _opened(path: str, device: str, dtype: str, download: bool) -> tuple[Any, Words]:
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise CapabilityError(f"{error.name} (install nosce[local])", f"hf:{path}", "socrates, which needs neither") from None
    options = {"local_files_only": not download, "trust_remote_code": False}
    if not hasattr(torch, dtype):
        raise InputError(f"dtype {dtype!r}: torch has none; write float32, bfloat16 or float16")
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, **options)
        spread = {"device_map": "auto"} if device == "auto" else {}
        network = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype), **options, **spread)
    except (OSError, ValueError, KeyError, ImportError) as error:
        hint = "" if download else "; give a folder, or allow the download with download=True"
        raise InputError(f"hf:{path} cannot be loaded: {' '.join(str(error).split())[:160]}{hint}") from None
    return (network if spread else network.to(device)).eval(), words_of(tokenizer)


def _ends(network: Any, words: Words) -> frozenset[int]:
    named = [getattr(network.generation_config, "eos_token_id", None), getattr(words.tokenizer, "eos_token_id", None)]
    flat = [i for held in named for i in (held if isinstance(held, list | tuple) else [held])]
    return frozenset(int(i) for i in flat if i is not None)


def _digest(network: Any) -> str:
    """Digest of sizes and of a few numbers of every tensor: enough to tell checkpoints apart without reading them whole."""
    parts = [
        (name, tuple(t.shape), t.flatten()[:: max(1, t.numel() // 16)][:16].tolist()) for name, t in network.state_dict().items()
    ]
    return fingerprint(parts, size=6)
