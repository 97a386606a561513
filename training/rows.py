"""Documents as trees of tokens, packed into rows: one question with several thoughts, one attempt with several acts.

A row is eight whole numbers for each of its tokens: token, target (-1: not learned), position, document, branch, ancestors (a set
of branches as bits), weight of the target, whether it belongs to a thought. `<end>` is never an input, only a target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nosce.models.socrates import tokenizer as marks
from nosce.models.socrates.tokenizer import SocratesTokenizer

ROW = 256
_TOKENIZER = SocratesTokenizer()
END = _TOKENIZER.end_id


@lru_cache(maxsize=200_000)
def encode(text: str) -> tuple[int, ...]:
    """Ids of a text, remembered."""
    return tuple(_TOKENIZER.encode(text))


class Tree:
    """One document. Branch 0 is the question; `grow` adds a branch at the present end of its parent."""

    def __init__(self, text: str) -> None:
        self.columns: list[list[int]] = [[] for _ in range(7)]  # token, target, position, branch, ancestors, weight, thought
        self.ends: list[int] = []  # position after each branch
        self.sets: list[int] = []  # ancestors of each branch, itself included
        self._write(encode(text), 0, 0, 0, closed=False)

    def __len__(self) -> int:
        return len(self.columns[0])

    def grow(self, parent: int, given: str, learned: str = "", *, closed: bool = True) -> int:
        """A branch of `given` tokens (not learned) and `learned` ones, then `<end>` if closed; gives its number."""
        head, tail = encode(given), encode(learned)
        return self._write(head + tail, parent, len(head), self.ends[parent], closed, given.endswith(marks.THINK))

    def _write(self, ids: Sequence[int], parent: int, given: int, start: int, closed: bool, thinks: bool = False) -> int:
        number = len(self.ends)
        mine = (self.sets[parent] if self.ends else 0) | (1 << number)
        targets = [-1] * len(ids)
        for i in range(max(given - 1, 0), len(ids) - 1):
            targets[i] = ids[i + 1] if i + 1 >= given and given else -1
        if closed:
            targets[-1] = END
        positions = list(range(start, start + len(ids)))
        n = len(ids)
        written = (ids, targets, positions, [number] * n, [mine] * n, [1] * n, [int(thinks)] * n)
        for column, values in zip(self.columns, written, strict=True):
            column.extend(values)
        self.ends.append(start + len(ids))
        self.sets.append(mine)
        return number

    def weigh(self, tokens: int, weight: int) -> None:
        """Let the last targets of the branch just grown, those of its last `tokens` tokens and its end, count more."""
        self.columns[5][-tokens - 1 :] = [weight] * (tokens + 1)

    def fits(self, parent: int, *texts: str) -> bool:
        """Whether a branch of these texts still goes into the row and the context."""
        more = sum(len(encode(text)) for text in texts)
        return len(self) + more <= ROW and self.ends[parent] + more < ROW and len(self.ends) < 14


def thought(steps: Iterable[str], answer: str) -> str:
    """`<s1> … <s2> … <ans> ANSWER`."""
    numbered = " ".join(f"{mark} {step}" for mark, step in zip(marks.STEPS, steps, strict=False))
    return f"{numbered} {marks.ANS} {answer}" if numbered else f"{marks.ANS} {answer}"


def pack(trees: Iterator[Tree], rows: int) -> NDArray[np.int16]:
    """`rows` rows of whole documents, first fit over a small shelf of open rows: (rows, 8, 256)."""
    out = np.zeros((rows, 8, ROW), np.int16)
    out[:, 1] = -1
    shelf: list[tuple[int, int, int]] = []  # row, used, documents
    opened = done = 0
    while done < rows:
        tree = next(trees)
        place = next((k for k, (_, used, _) in enumerate(shelf) if used + len(tree) <= ROW), None)
        if place is None:
            if opened < rows:
                shelf.append((opened, 0, 0))
                opened, place = opened + 1, len(shelf) - 1
            else:
                shelf.remove(max(shelf, key=lambda s: s[1]))
                done += 1
                continue
        row, used, count = shelf[place]
        _lay(out[row], tree, used, count + 1)
        shelf[place] = (row, used + len(tree), count + 1)
        if len(shelf) > 8 or used + len(tree) > ROW - 18:
            shelf.remove(max(shelf, key=lambda s: s[1]))
            done += 1
    return out


def _lay(row: NDArray[np.int16], tree: Tree, at: int, document: int) -> None:
    span = slice(at, at + len(tree))
    token, target, position, branch, ancestors, weight, thinks = tree.columns
    row[0, span], row[1, span], row[2, span] = token, target, position
    row[3, span], row[4, span], row[5, span], row[6, span] = document, branch, ancestors, weight
    row[7, span] = thinks
