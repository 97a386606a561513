"""Caps: how many tokens a request may ask for, and how many a stream may bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nosce.models import _estimate
from nosce.serve.exchange import Refused

_NAMES = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_OTHERS = ("n_predict", "max_new_tokens", "num_predict")
"""What servers call the same thing beside OpenAI's names; llama.cpp takes a negative number for no limit."""

_CHOICES = ("n", "best_of")
_SAID = ("messages", "input", "prompt", "instructions", "system")
_READ = 100_000  # characters of a text that are looked at
_PER_TOKEN, _FRAME = 4, 64
"""Events that a stream may bring for each token asked for (some servers send characters), and beside them."""


def capped(fields: Mapping[str, Any], cap: int | None, path: str) -> dict[str, int]:
    """The change that keeps a request's completion within `cap` tokens."""
    if cap is None or path == "/embeddings":
        return {}
    given = [name for name in (*_NAMES, *_OTHERS) if fields.get(name) is not None]
    over = {name: cap for name in given if not _whole(fields[name]) or not 0 <= fields[name] <= cap}
    missing = "max_output_tokens" if path == "/responses" else "max_tokens"
    return over if any(name in _NAMES for name in given) else {**over, missing: cap}


def check_choices(fields: Mapping[str, Any], cap: int | None, most: int) -> None:
    """Refuse more choices than calls, where tokens are capped: each choice costs a completion of its own."""
    for name in _CHOICES if cap is not None else ():
        if (value := fields.get(name)) is not None and not (_whole(value) and 1 <= value <= most):
            raise Refused(400, f"{name}={str(value)[:20]}: expected 1 to {most}", param=name)


def most_events(fields: Mapping[str, Any], path: str, cap: int | None) -> float:
    """How many events the stream of this request may have; without end where it asked for no limit."""
    asked = {**fields, **capped(fields, cap, path)}
    limits = [asked[name] for name in (*_NAMES, *_OTHERS) if _whole(asked.get(name)) and asked[name] > 0]
    choices = max([1, *(asked[name] for name in _CHOICES if _whole(asked.get(name)))])
    return (_PER_TOKEN * max(limits) + _FRAME) * choices if limits else float("inf")


def estimated(fields: Mapping[str, Any]) -> int:
    """About how many tokens a request brings along, for the books where an upstream does not count them."""
    texts = [text for name in _SAID for text in _texts(fields.get(name))]
    return sum(_estimate.tokens_of(text[:_READ]) + len(text[_READ:]) // 4 for text in texts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not value.startswith(("data:", "http:", "https:")):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
