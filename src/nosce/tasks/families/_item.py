"""One graded problem of a bundled family, and the hash that keeps training and test problems apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "cal", "dev", "test"]

_BUCKETS: tuple[tuple[Split, int], ...] = (("train", 75), ("cal", 85), ("dev", 90), ("test", 100))


@dataclass(frozen=True)
class Item:
    """A problem with its gold thought; `steps` are written without their numbers (`<s1>` and so on).

    `level` runs from 1 (trivial) to 6 (beyond reach); 0 means "typed by a person, level unknown".
    `canonical` is the text whose hash decides the split: two problems that are the same problem share it.
    """

    family: str
    level: int
    question: str
    answer: str
    steps: tuple[str, ...]
    canonical: str
    context: str | None = None
    tools: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of SHA-256 over family and canonical form; used as the problem's id."""
        return hashlib.sha256(f"{self.family}|{self.canonical}".encode()).hexdigest()[:12]


def bucket(item: Item) -> int:
    """The item's place in 0..99, uniform over canonical forms."""
    return int(item.hash, 16) % 100


def split(item: Item) -> Split:
    """train 75%, cal 10%, dev 5%, test 10% of canonical forms; a canonical form is in exactly one."""
    place = bucket(item)
    return next(name for name, upper in _BUCKETS if place < upper)
