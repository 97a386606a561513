"""Lanes: a large batch is shared out between processes that read and write the same memory.

Not threads: numpy lets go of Python's lock in nearly every call, and two threads that take turns for it spend more time
waking each other than they save. A lane is a process that maps the weights, the cache and the state of all rows, waits
for a job (prompts to read, tokens to write) and says when it is done; a message is a few bytes. The first lane is the
process itself.

The others are started when a batch is first worth it, and until they are up, or should one die, its jobs are done
here: rows go on from where they are. They end with the process, whatever ended it.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from socket import socketpair
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from nosce.models.socrates.incremental import KeyValueCache, Stepper
from nosce.models.socrates.network import Edit, Floats, Ids, Network, Shape
from nosce.models.socrates.slots import Field, Slots

Job = tuple[str, tuple[Any, ...]]
"""A method of Worker and its arguments."""
GROUP = 16
"""Rows that go on together: so many that reading the weights is worth it, so few that their keys and values stay at hand."""
ALERT = 0.0005
"""Seconds for which a lane that waits does not sleep."""


class Shared:
    """Arrays side by side in memory that other processes can map. What was never written takes no room."""

    def __init__(self, fields: Sequence[Field], descriptor: int | None = None) -> None:
        self.fields = list(fields)
        sizes = [-(-int(np.prod(dims)) * np.dtype(kind).itemsize // 64) * 64 for dims, kind in fields]
        self.descriptor = os.memfd_create("socrates") if descriptor is None else descriptor
        if descriptor is None:
            os.ftruncate(self.descriptor, sum(sizes))
        whole, starts = mmap.mmap(self.descriptor, sum(sizes)), np.cumsum([0, *sizes])
        self.arrays: list[NDArray[Any]] = [
            np.frombuffer(whole, kind, int(np.prod(dims)), int(start)).reshape(dims)
            for (dims, kind), start in zip(fields, starts, strict=False)
        ]
        finalize(self, os.close, self.descriptor)


class Worker:
    """What one lane can do with the slots and the cache of a batch."""

    def __init__(self, network: Network, slots: Slots, memory: Floats | None = None) -> None:
        self.slots = slots
        self.cache = KeyValueCache(network, len(slots.position), memory)
        self._any = Stepper(network, len(slots.position))
        self._few = {rows: Stepper(network, rows) for rows in range(1, GROUP + 1)}

    def fill(self, prompts: Sequence[Sequence[int]], slots: Ids, source: Ids) -> None:
        """Read prompts into the cache, see `KeyValueCache.fill`."""
        self.cache.fill(prompts, slots, source)

    def read(self, here: slice, edits: Mapping[int, Edit] | None = None) -> None:
        """Logits of some slots after one more token each; `edits` as in `Stepper.step`."""
        slots, stepper = self.slots, self._few.get(here.stop - here.start, self._any)
        slots.logits[here] = stepper.step(self.cache, here.start, slots.tokens(here), slots.position[here], edits)

    def run(self, here: slice, shaped: bool, tokens: int) -> None:
        """Write so many tokens to some slots, fewer if one of the rows ends. The cache must have room for them."""
        for _ in range(tokens):
            self.read(here)
            if self.slots.choose(here, shaped).any():
                return

    def work(self, jobs: Sequence[Job]) -> None:
        """Do jobs, one after the other."""
        for name, arguments in jobs:
            getattr(self, name)(*arguments)


class Lanes:
    """The lanes of a decoder: `here`, and up to `most` − 1 processes beside it (none where memory cannot be shared)."""

    def __init__(self, network: Network, slots: int, most: int) -> None:
        self.network = network
        self.most = most if hasattr(os, "memfd_create") else 1
        self._others: list[_Other] = []
        self._used: list[_Other] = []
        self._changes = -1  # of the weights, when the others last received them
        state = Slots.fields(network, slots)
        if self.most == 1:
            self.here = Worker(network, Slots.of([np.zeros(*each) for each in state]))
            return
        memory = (KeyValueCache.size(network, slots),), "f4"
        self._shared = Shared([*state, memory, *((array.shape, array.dtype.str) for array in network.arrays())])
        self._copy()
        self.here = _worker(network.shape, self._shared)

    def ready(self, wanted: int) -> int:
        """How many of the lanes wanted will share the next jobs. Starts what is missing, and does not wait for it."""
        wanted = min(wanted, self.most)
        while len(self._others) < wanted - 1:
            self._others.append(_Other(self.network.shape, self._shared))
        self._used = [other for other in self._others[: max(wanted - 1, 0)] if other.up]
        return 1 + len(self._used)

    def do(self, jobs: Sequence[Job]) -> None:
        """Do all jobs, dealt out between the lanes that are ready."""
        lanes = min(1 + len(self._used), len(jobs))
        dealt = [(other, jobs[place::lanes]) for place, other in enumerate(self._used[: lanes - 1], start=1)]
        for other, theirs in dealt:
            other.send((self.here.cache.room, theirs))
        self.here.work(jobs[::lanes])
        for other, theirs in dealt:
            if not other.done():
                self.here.work(theirs)

    def refresh(self) -> None:
        """Take over the weights if they were changed."""
        if self.most > 1 and self._changes != self.network.changes[0]:
            self._copy()

    def _copy(self) -> None:
        self._changes = self.network.changes[0]
        for theirs, mine in zip(self._shared.arrays[-len(self.network.arrays()) :], self.network.arrays(), strict=True):
            np.copyto(theirs, mine)

    def close(self) -> None:
        """End the other processes; they are started again when a batch needs them."""
        for other in self._others:
            other.end()
        self._others, self._used = [], []


class _Other:
    """A lane in another process, seen from here. One that has died stays dead."""

    def __init__(self, shape: Shape, shared: Shared) -> None:
        here, there = socketpair()
        self._line = Connection(here.detach())
        self._up = self._dead = False
        with there:
            self.process = process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, str(there.fileno()), str(shared.descriptor)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(there.fileno(), shared.descriptor), start_new_session=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
        self.end = finalize(self, _end, self._line, process)
        self.send((shape, shared.fields))

    @property
    def up(self) -> bool:
        """Whether it has said that it can work, and still can."""
        if not self._up and not self._dead and self._line.poll():
            self._up = self.done()
        return self._up and not self._dead

    def send(self, message: Any) -> None:
        """Hand over a message."""
        try:
            self._line.send(message)
        except OSError:
            self._dead = True

    def done(self) -> bool:
        """Wait until it has finished what it was given; whether it has."""
        try:
            self._dead = self._dead or not self._line.recv()
        except (OSError, EOFError):
            self._dead = True
        return not self._dead


_SERVE = "from nosce.models.socrates.lanes import serve; serve()"


def serve() -> None:
    """The life of a lane: map the memory, then do jobs until the other end of the line is gone."""
    line, descriptor = Connection(int(sys.argv[1])), int(sys.argv[2])
    shape, fields = line.recv()
    worker = _worker(shape, Shared(fields, descriptor))
    while True:
        try:
            line.send(True)
            _wait(line)
            room, jobs = line.recv()
        except (OSError, EOFError):
            return
        worker.cache.see(room)
        worker.work(jobs)


def _wait(line: Connection) -> None:
    """Look out for the next job for a moment: a processor that has gone to sleep takes longer to wake."""
    until = time.perf_counter() + ALERT
    while not line.poll() and time.perf_counter() < until:
        pass


def _worker(shape: Shape, shared: Shared) -> Worker:
    count = len(dataclasses.fields(Slots))
    return Worker(Network.of_arrays(shape, shared.arrays[count + 1 :]), Slots.of(shared.arrays[:count]), shared.arrays[count])


def _end(line: Connection, process: subprocess.Popen[bytes]) -> None:
    line.close()
    process.wait()
