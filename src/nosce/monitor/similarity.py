"""How alike two texts are: a hashed n-gram embedding that needs no model, and the longest common subsequence of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[Any]]
"""Texts [n] to vectors [n, d]: any sentence embedder, or `hashed_ngrams`."""

_WORD = re.compile(r"[a-z0-9]+")
_MIX = (np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D))


def hashed_ngrams(texts: Sequence[str], size: int = 1024) -> Floats:
    """Unit vectors [n, size] of how often each hashed run of two or three bytes occurs (square roots, lower case).

    Not negative, so cosines lie in [0, 1]: 1 for equal texts, near 0 for texts without a common run. Says nothing of
    meaning; pass an embedding model where wording varies.
    """
    found = np.zeros((len(texts), size))
    for row, text in zip(found, texts, strict=True):
        units = np.frombuffer(f" {text.lower().strip()} ".encode(), dtype=np.uint8).astype(np.uint32)
        pairs = units[:-1] * _MIX[0] + units[1:] * _MIX[1]
        runs = np.concatenate([pairs, pairs[:-1] + units[2:] * _MIX[2]])
        row += np.bincount((runs ^ (runs >> np.uint32(15))) % np.uint32(size), minlength=size)
    return unit(np.sqrt(found))


def unit(vectors: NDArray[Any]) -> Floats:
    """Rows divided by their length; a zero row stays zero."""
    x = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(np.divide(x, length, out=np.zeros_like(x), where=length > 0))


def cosines(vectors: NDArray[Any]) -> Floats:
    """Cosine similarities [n, n] in [−1, 1] of vectors [n, d]; symmetric with ones on the diagonal."""
    x = unit(vectors)
    found = np.clip(x @ x.T, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def relevances(pieces: Sequence[str], embed: Embed = hashed_ngrams) -> Floats:
    """How much each piece of a text matters [T], 1 − cosine of the text with and without it, in [0, 2]; ½ for a lone piece."""
    if len(pieces) < 2:
        return np.full(len(pieces), 0.5)
    without = ["".join([*pieces[:t], *pieces[t + 1 :]]) for t in range(len(pieces))]
    vectors = unit(embed(["".join(pieces), *without]))
    return np.asarray(np.clip(1.0 - vectors[1:] @ vectors[0], 0.0, 2.0))


def words(text: str) -> list[str]:
    """The runs of letters and digits of a text, in lower case."""
    return _WORD.findall(text.lower())


def rouge_l(texts: Sequence[str]) -> Floats:
    """ROUGE-L F-measures [n, n] in [0, 1]: 2·LCS/(|a| + |b|) over words; 0 where a text has none.

    Equal texts are compared once.
    """
    unique = list(dict.fromkeys(texts))
    place = np.array([unique.index(text) for text in texts])
    split = [words(text) for text in unique]
    found = np.diag([float(bool(row)) for row in split])
    for i, a in enumerate(split):
        for j in range(i):
            found[i, j] = found[j, i] = 2 * common(a, split[j]) / (len(a) + len(split[j]) or 1)
    return np.asarray(found[np.ix_(place, place)])


def common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence of two word lists."""
    head, most = 0, min(len(a), len(b))
    while head < most and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < most - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    return head + tail + _between(a[head : len(a) - tail], b[head : len(b) - tail])


def _between(a: Sequence[str], b: Sequence[str]) -> int:
    """The same where neither the first nor the last word agrees: one addition on a long integer for each word of `b`."""
    places: dict[str, int] = {}
    for at, word in enumerate(a):
        places[word] = places.get(word, 0) | (1 << at)
    everything = row = (1 << len(a)) - 1
    for word in b:
        if seen := places.get(word, 0) & row:
            row = ((row + seen) | (row - seen)) & everything
    return len(a) - row.bit_count()
