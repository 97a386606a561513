"""A long answer as single claims, and how far each is supported by other texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nosce.monitor.equivalence import ENTAILMENT, Entails
from nosce.monitor.similarity import Floats

Supports = Callable[[Sequence[tuple[str, str]]], NDArray[Any]]
"""Pairs (text, claim) [m] to how far the text supports the claim, [m] in [0, 1]."""

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|etc|cf|approx)|^\s*\d{1,2})\.$")
_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)]|answer\s*:)\s*", re.I)
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_EMPTY = frozenset(
    _WORD.findall(
        "a an and are as at be been but by for from had has have he her his in into is it its of on or she so than that the "
        "their them then there these they this those to was we were which who will with you"
    )
)
"""Words that carry no meaning of their own."""


def claims(text: str) -> list[str]:
    """The sentences (and lines) of a text that say something, without list marks; each counts as one claim."""
    parts: list[str] = []
    for piece in _END.split(text):
        if parts and _ABBREVIATION.search(parts[-1]):
            parts[-1] += f" {piece.strip()}"
        else:
            parts.append(piece.strip())
    bare = [_MARK.sub("", part).strip() for part in parts]
    return [part for part in bare if content(part)]


def content(text: str) -> list[str]:
    """The words and numbers of a text that carry meaning, in lower case."""
    return [word for word in _WORD.findall(text.lower()) if word not in _EMPTY]


def contained(pairs: Sequence[tuple[str, str]]) -> Floats:
    """Lexical containment [m]: the share of a claim's content words that the text has too, times the share of its numbers.

    Knows neither synonyms nor negation; pass an entailment model (`entailing`) where wording varies.
    """
    return np.array([_containment(text, claim) for text, claim in pairs], dtype=np.float64)


def _containment(text: str, claim: str) -> float:
    there, wanted = set(content(text)), content(claim)
    numbers = [word for word in wanted if word[0].isdigit()]
    words = [word for word in wanted if not word[0].isdigit()]
    shares = [sum(word in there for word in part) / len(part) for part in (words, numbers) if part]
    return float(np.prod(shares)) if shares else 0.0


def entailing(entails: Entails) -> Supports:
    """Support by an entailment model: the probability that the text entails the claim."""

    def supports(pairs: Sequence[tuple[str, str]]) -> NDArray[Any]:
        return np.asarray(entails(pairs), dtype=np.float64)[:, ENTAILMENT]

    return supports


def support(said: Sequence[str], texts: Sequence[str], supports: Supports = contained) -> Floats:
    """How far each text supports each claim: [claims, texts]."""
    pairs = [(text, claim) for claim in said for text in texts]
    return np.asarray(supports(pairs), dtype=np.float64).reshape(len(said), len(texts))
