"""How many threads numpy's BLAS uses.

The decoder splits a batch between Python threads; a BLAS that starts threads of its own below each of them makes both
wait. numpy has no call for this, so the OpenBLAS that its wheels carry is asked directly; with any other BLAS nothing
is changed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np


@cache
def _calls() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """OpenBLAS's functions (get, set) of the thread count, or None where numpy was built on another BLAS."""
    package = Path(np.__file__).parent
    places = (package.parent / "numpy.libs", package / ".dylibs")
    for path in sorted(path for place in places for path in place.glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            put = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            if get and put:
                return get, put
    return None


def blas_threads() -> int:
    """Threads that BLAS may use now (OMP_NUM_THREADS at start-up); 1 where it cannot be told."""
    calls = _calls()
    return calls[0]() if calls else 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS keeps to the calling thread inside the block, in the whole process."""
    calls = _calls()
    before = calls[0]() if calls else 1
    if calls and before != 1:
        calls[1](1)
    try:
        yield
    finally:
        if calls and before != 1:
            calls[1](before)
