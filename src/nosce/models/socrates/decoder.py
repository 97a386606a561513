"""Continuous batching: rows join and leave a running batch, and every step adds one token to each of them.

Slots 0 … n − 1 are the active rows. A slot that becomes free is given to a waiting row; when none waits, the last row
moves there, so that a batch is always one piece of memory. A row enters with all of its prompt but the last token in
the cache; that token goes through the first step like any other. Rows with the same prompt share one pass over it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nosce.core.errors import InputError
from nosce.models.socrates import sampling
from nosce.models.socrates.incremental import KeyValueCache, Stepper
from nosce.models.socrates.network import Edit, Floats, Network
from nosce.models.socrates.threads import blas_threads, one_blas_thread

ROWS_A_THREAD = 32
"""Fewer rows than this are not worth another thread."""
PROMPT_TOKENS_AT_ONCE = 4096


@dataclass(slots=True, eq=False)
class Row:
    """One sequence being decoded; the decoder appends to its lists.

    `key` is its random stream. Temperature 0 is greedy. `stop` holds token ids that end it (the stop token is kept as
    the last of `tokens`). `bias` is added to the logits: an array [V], or a function of the row called before every
    token. `steer` (k, vector [d]) is added to hidden state k (0 the embedding, k after the k-th layer) at every
    position that predicts a new token. `logprobs` and `entropies` (nats) are those of the model at temperature 1
    before any bias; with `top` > 0 `topk` holds the likeliest ids and their log-probabilities for each token. `finish`
    is None while the row runs or when it was cancelled.
    """

    key: int
    prompt: Sequence[int]
    max_new: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    stop: frozenset[int] = frozenset()
    bias: Callable[[Row], Floats | None] | Floats | None = None
    steer: tuple[int, Floats] | None = None
    top: int = 0
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    entropies: list[float] = field(default_factory=list)
    topk: list[tuple[list[int], list[float]]] = field(default_factory=list)
    finish: Literal["stop", "length"] | None = None


class Decoder:
    """Decodes rows in a shared batch of at most `slots`. Not for use by several threads at once.

    A large batch is split between `threads` (by default as many as BLAS was given, see OMP_NUM_THREADS).
    """

    def __init__(self, network: Network, slots: int = 256, threads: int | None = None) -> None:
        self.network = network
        self.slots = slots
        self.threads = max(1, blas_threads() if threads is None else threads)
        self._cache = KeyValueCache(network, slots)
        self._steppers = [Stepper(network, slots) for _ in range(self.threads)]
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Row] = deque()
        self._rows: list[Row | None] = []  # by slot; None is a hole until the next step
        self._token = np.zeros(slots, dtype=np.int64)  # the next to be read
        self._position = np.zeros(slots, dtype=np.int64)  # where it will stand
        self._last = np.zeros(slots, dtype=np.int64)  # position after which the row is full
        self._draws = np.zeros((slots, network.context))  # what each row's stream gives, by position
        self._temperature = np.ones(slots, dtype=np.float32)
        self._top_p = np.ones(slots, dtype=np.float32)
        self._state: list[NDArray[Any]] = [
            *(self._token, self._position, self._last),
            *(self._draws, self._temperature, self._top_p),
        ]
        self._plan = _Plan.of([], network.shape.width)

    @property
    def active(self) -> int:
        """Rows in the batch."""
        return sum(row is not None for row in self._rows)

    @property
    def waiting(self) -> int:
        """Rows that wait for a slot."""
        return len(self._waiting)

    def submit(self, rows: Sequence[Row]) -> None:
        """Queue rows; they join at the next steps, first come first served. InputError for an unfit one."""
        for row in rows:
            self._check(row)
        self._waiting.extend(rows)

    def cancel(self, row: Row) -> None:
        """Take a row out at once; what it has so far stays in it. Unknown and finished rows are ignored."""
        if row in self._waiting:
            self._waiting.remove(row)
        elif row in self._rows:
            self._rows[self._rows.index(row)] = None

    def step(self) -> list[Row]:
        """Add one token to every active row after letting waiting rows in; returns the rows that finished."""
        with one_blas_thread():
            full = self._settle()
            count = len(self._rows)
            if not count:
                return full
            self._cache.reserve(int(self._position[:count].max()) + 1)
            chosen = self._run(count)
        self._token[:count] = chosen[0]
        self._position[:count] += 1
        return full + self._record(*(part.tolist() for part in chosen))

    def run(self, rows: Sequence[Row]) -> list[Row]:
        """Submit rows and step until nothing is left to do; returns the same rows."""
        self.submit(rows)
        while self._waiting or self.active:
            self.step()
        return list(rows)

    def close(self) -> None:
        """Release the threads."""
        if self._pool:
            self._pool.shutdown()
            self._pool = None

    def _check(self, row: Row) -> None:
        size, context = len(row.prompt), self.network.context
        if not 0 < size <= context:
            raise InputError(f"a prompt of {size} tokens; expected 1 to {context} (the context of the model)")
        low, high = min(row.prompt), max(row.prompt)
        if low < 0 or high >= self.network.vocab_size:
            wrong, most = low if low < 0 else high, self.network.vocab_size - 1
            raise InputError(f"token {wrong} in a prompt; expected ids 0 to {most}")
        if row.temperature < 0 or not 0 < row.top_p <= 1:
            raise InputError(f"temperature {row.temperature}, top_p {row.top_p}; expected ≥ 0 and in (0, 1]")

    # ---- joining and leaving

    def _settle(self) -> list[Row]:
        """Give holes and free slots to waiting rows, close other holes; returns rows that have no room for a token."""
        full: list[Row] = []
        holes = deque(slot for slot, row in enumerate(self._rows) if row is None)
        joined: list[int] = []
        while self._waiting and (holes or len(self._rows) < self.slots):
            row = self._waiting.popleft()
            if min(row.max_new, self.network.context - len(row.prompt)) <= 0:
                row.finish = "length"
                full.append(row)
                continue
            if not holes:
                self._rows.append(None)
            joined.append(holes.popleft() if holes else len(self._rows) - 1)
            self._enter(row, joined[-1])
        for slot in reversed(holes):
            self._close(slot)
        self._prefill(joined)
        if joined or holes:
            self._plan = _Plan.of(self._active(), self.network.shape.width)
        return full

    def _active(self) -> list[Row]:
        return [row for row in self._rows if row is not None]

    def _enter(self, row: Row, slot: int) -> None:
        start = len(row.prompt) - 1
        self._rows[slot] = row
        self._token[slot] = row.prompt[-1]
        self._position[slot] = start
        self._last[slot] = start + min(row.max_new, self.network.context - len(row.prompt))
        steps = np.arange(self.network.context - start)
        self._draws[slot, start:] = sampling.uniforms(sampling.stream(row.key), steps)
        self._temperature[slot] = row.temperature
        self._top_p[slot] = row.top_p

    def _close(self, slot: int) -> None:
        """Move the last row into a hole."""
        last = len(self._rows) - 1
        if slot != last:
            self._rows[slot] = self._rows[last]
            self._cache.copy(last, slot, int(self._position[last]))
            for state in self._state:
                state[slot] = state[last]
        self._rows.pop()

    def _prefill(self, joined: Sequence[int]) -> None:
        """Put all but the last token of the new rows' prompts into the cache, each different prompt once."""
        wanted: dict[tuple[int, ...], list[int]] = {}
        for slot in joined:
            row = self._rows[slot]
            if row is not None and len(row.prompt) > 1:
                wanted.setdefault(tuple(row.prompt[:-1]), []).append(slot)
        prompts = sorted(wanted, key=len)
        while prompts:
            count = max(1, PROMPT_TOKENS_AT_ONCE // len(prompts[-1]))
            batch, prompts = prompts[-count:], prompts[:-count]
            slots = [slot for prompt in batch for slot in wanted[prompt]]
            source = np.repeat(np.arange(len(batch)), [len(wanted[prompt]) for prompt in batch])
            self._cache.fill(batch, np.array(slots), source)

    # ---- one token for every row

    def _run(self, count: int) -> tuple[NDArray[np.generic], ...]:
        """(tokens, logprobs, entropies), each [count], over as many threads as the batch is worth."""
        lanes = max(1, min(self.threads, count // ROWS_A_THREAD))
        edges = [count * lane // lanes for lane in range(lanes + 1)]
        if lanes == 1:
            return self._lane(self._steppers[0], 0, count)
        pool = self._pool = self._pool or ThreadPoolExecutor(self.threads - 1, "socrates")
        others = [pool.submit(self._lane, self._steppers[i], edges[i], edges[i + 1]) for i in range(1, lanes)]
        parts = [self._lane(self._steppers[0], 0, edges[1]), *(other.result() for other in others)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _lane(self, stepper: Stepper, first: int, stop: int) -> tuple[NDArray[np.generic], ...]:
        """Run the slots first … stop − 1 and choose their tokens."""
        here = slice(first, stop)
        edits = self._plan.edits(here)
        logits = stepper.step(self._cache, first, self._token[here], self._position[here], edits)
        plain = sampling.Distribution.of(logits)
        weights = plain.weights
        if self._plan.shaped:
            weights = self._shape(logits, here)
        tokens = sampling.choose(weights, self._draws[np.arange(first, stop), self._position[here]])
        for slot in self._plan.topped:
            if first <= slot < stop and (row := self._rows[slot]) is not None:
                row.topk.append(plain.likeliest(slot - first, row.top))
        return tokens, plain.logprobs(tokens), plain.entropies()

    def _shape(self, logits: Floats, here: slice) -> Floats:
        """Weights after bias, temperature and nucleus."""
        for slot in self._plan.biased:
            if here.start <= slot < here.stop and (row := self._rows[slot]) is not None:
                bias = row.bias(row) if callable(row.bias) else row.bias
                if bias is not None:
                    logits[slot - here.start] += bias
        weights = sampling.tempered(logits, self._temperature[here])
        cut = np.flatnonzero(self._top_p[here] < 1)
        if len(cut):
            weights[cut] = sampling.nucleus(weights[cut], self._top_p[here][cut])
        return weights

    def _record(self, tokens: list[int], logprobs: list[float], entropies: list[float]) -> list[Row]:
        """Append what was chosen; rows that end leave a hole."""
        finished = []
        full = (self._position[: len(tokens)] >= self._last[: len(tokens)]).tolist()
        for slot, (row, token) in enumerate(zip(self._active(), tokens, strict=True)):
            row.tokens.append(token)
            row.logprobs.append(logprobs[slot])
            row.entropies.append(entropies[slot])
            if token in row.stop or full[slot]:
                row.finish = "stop" if token in row.stop else "length"
                finished.append(row)
                self._rows[slot] = None
        return finished


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is unusual about the rows of the batch; worked out when it changes, so that it costs nothing when unused."""

    shaped: bool
    biased: list[int]
    topped: list[int]
    deltas: dict[int, Floats]  # hidden state → what to add to it [B, d]

    @classmethod
    def of(cls, rows: Sequence[Row], width: int) -> _Plan:
        deltas: dict[int, Floats] = {}
        for slot, row in enumerate(rows):
            if row.steer is not None:
                deltas.setdefault(row.steer[0], np.zeros((len(rows), width), dtype=np.float32))[slot] = row.steer[1]
        biased = [slot for slot, row in enumerate(rows) if row.bias is not None]
        shaped = bool(biased) or any(row.temperature != 1 or row.top_p < 1 for row in rows)
        return cls(shaped, biased, [slot for slot, row in enumerate(rows) if row.top], deltas)

    def edits(self, here: slice) -> dict[int, Edit] | None:
        return {layer: _adding(delta[here]) for layer, delta in self.deltas.items()} if self.deltas else None


def _adding(delta: Floats) -> Edit:
    def edit(x: Floats) -> None:
        x += delta

    return edit
