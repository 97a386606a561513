"""Continuous batching: rows join and leave a running batch, and every step adds some tokens to each of them.

Slots 0 … n − 1 are the active rows. A slot that becomes free is given to a waiting row; when none waits, the last row
moves there, so that a batch is always one piece of memory. A row enters with all of its prompt but the last token in
the cache; that token goes through the first step like any other. Rows with the same prompt share one pass over it.
Rows go on in groups, each for some tokens at a time, so that what a group has in the cache stays in the processor's.
A large batch is shared out between lanes, processes on the same memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from nosce.core.errors import InputError
from nosce.models.socrates import sampling
from nosce.models.socrates.lanes import GROUP, Job, Lanes
from nosce.models.socrates.network import Floats, Network
from nosce.models.socrates.rows import Plan, Row
from nosce.models.socrates.threads import blas_threads, one_blas_thread

__all__ = ["Decoder", "Row"]

ROWS_A_LANE = 16
"""Fewer rows than this are not worth another lane."""
TOKENS = 4096
"""About as many as a step adds to all rows together, so that others need not wait long for it."""
PROMPT_TOKENS_AT_ONCE = 256
"""More in one pass over prompts would not stay in the processor's cache."""


class Decoder:
    """Decodes rows in a shared batch of at most `slots`. Not for use by several threads at once.

    A large batch is split between `lanes` (by default as many as BLAS was given threads, see OMP_NUM_THREADS).
    """

    def __init__(self, network: Network, slots: int = 256, lanes: int | None = None) -> None:
        self.network = network
        self.slots = slots
        self._lanes = Lanes(network, slots, max(1, min(blas_threads() if lanes is None else lanes, slots // ROWS_A_LANE)))
        self._cache, self._state = self._lanes.here.cache, self._lanes.here.slots
        self._waiting: deque[Row] = deque()
        self._rows: list[Row | None] = []  # by slot; None is a hole until the next step
        self._plan = Plan.of([], network.shape.width)

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
            self._leave(self._rows.index(row))

    def step(self) -> list[Row]:
        """Add a token or more to every active row after letting waiting rows in; returns the rows that finished."""
        self._lanes.refresh()
        with one_blas_thread():
            full = self._settle()
            count = len(self._rows)
            if not count:
                return full
            self._run(count)
        return full + self._finished(count)

    def run(self, rows: Sequence[Row]) -> list[Row]:
        """Submit rows and step until nothing is left to do; returns the same rows."""
        self.submit(rows)
        while self._waiting or self.active:
            self.step()
        return list(rows)

    def close(self) -> None:
        """End the processes of other lanes."""
        self._lanes.close()

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
            self._rows[joined[-1]] = row
            self._state.enter(joined[-1], row)
        for slot in reversed(holes):
            self._close(slot)
        self._prefill(joined)
        if joined or holes:
            self._plan = Plan.of(self._active(), self.network.shape.width)
        return full

    def _active(self) -> list[Row]:
        return [row for row in self._rows if row is not None]

    def _close(self, slot: int) -> None:
        """Move the last row into a hole."""
        last = len(self._rows) - 1
        if slot != last:
            self._rows[slot] = self._rows[last]
            self._cache.copy(last, slot, int(self._state.position[last]))
            self._state.move(last, slot)
        self._rows.pop()

    def _prefill(self, joined: Sequence[int]) -> None:
        """Put all but the last token of the new rows' prompts into the cache, each different prompt once."""
        wanted: dict[tuple[int, ...], list[int]] = {}
        for slot in joined:
            row = self._rows[slot]
            if row is not None and len(row.prompt) > 1:
                wanted.setdefault(tuple(row.prompt[:-1]), []).append(slot)
        if wanted:
            self._cache.reserve(max(map(len, wanted)))
            self._lanes.ready(len(self._rows) // ROWS_A_LANE)
            self._lanes.do([_filling(batch, wanted) for batch in _alike(wanted)])

    # ---- tokens

    def _run(self, count: int) -> None:
        """Write on every row. One token each where a row wants to see to its logits itself."""
        plan, every = self._plan, slice(0, count)
        alone = plan.deltas or plan.biased or plan.topped
        tokens = 1 if alone else max(1, TOKENS // count)
        furthest, last = (int(each[:count].max()) for each in (self._state.position, self._state.last))
        self._cache.reserve(min(furthest + tokens, last))
        if not alone:
            self._lanes.ready(count // ROWS_A_LANE)
            return self._lanes.do([("run", (here, plan.shaped, tokens)) for here in _groups(count)])
        self._lanes.here.read(every, plan.edits(every))
        for slot in plan.topped:
            if (row := self._rows[slot]) is not None:
                row.topk.append(sampling.likeliest(self._state.logits[slot], row.top))
        self._state.choose(every, plan.shaped, self._bias())
        for slot in plan.watching:
            if (row := self._rows[slot]) is not None:
                row.tokens.append(int(self._state.written[slot, self._state.position[slot]]))

    def _bias(self) -> dict[int, Floats]:
        found = {}
        for slot in self._plan.biased:
            if (row := self._rows[slot]) is not None:
                bias = row.bias(row) if callable(row.bias) else row.bias
                if bias is not None:
                    found[slot] = bias
        return found

    def _finished(self, count: int) -> list[Row]:
        """Take out the rows that end with the token just written; each leaves a hole."""
        ended = self._state.ended(count)
        over = np.flatnonzero(ended | (self._state.position[:count] >= self._state.last[:count]))
        return [self._leave(slot, "stop" if ended[slot] else "length") for slot in over.tolist()]

    def _leave(self, slot: int, finish: Literal["stop", "length"] | None = None) -> Row:
        """Hand a row what was noted of it and leave a hole in its place."""
        row, self._rows[slot] = self._rows[slot], None
        assert row is not None
        state, start, stop = self._state, len(row.prompt) - 1, int(self._state.position[slot])
        noted = slice(start, stop)
        row.tokens[:] = state.written[slot, start + 1 : stop + 1].tolist()
        row.logprobs += state.logprobs[slot, noted].tolist()
        row.entropies += state.entropies[slot, noted].tolist()
        row.finish = finish
        return row


def _groups(count: int) -> list[slice]:
    """Slots 0 … count − 1 in as few groups as GROUP allows, of nearly the same size."""
    groups = -(-count // GROUP)
    edges = [count * place // groups for place in range(groups + 1)]
    return [slice(*pair) for pair in pairwise(edges)]


def _filling(batch: Sequence[tuple[int, ...]], wanted: dict[tuple[int, ...], list[int]]) -> Job:
    """The job of reading different prompts once each for all slots that want them."""
    slots = np.array([slot for prompt in batch for slot in wanted[prompt]])
    return "fill", (batch, slots, np.repeat(np.arange(len(batch)), [len(wanted[prompt]) for prompt in batch]))


def _alike(prompts: Iterable[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Prompts of like length together, at most PROMPT_TOKENS_AT_ONCE tokens (padded) or one prompt in each batch."""
    left, batches = sorted(prompts, key=len), []
    while left:
        count = max(1, PROMPT_TOKENS_AT_ONCE // len(left[-1]))
        batches.append(left[-count:])
        left = left[:-count]
    return batches
