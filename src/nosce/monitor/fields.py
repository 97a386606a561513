"""The fields of a structured answer: where each stands in the text, how many samples agree on it, how likely its tokens were."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nosce.core.attempt import Attempt
from nosce.mind.mind import Mind
from nosce.monitor.spans import Span, token_spans, tokens_of

Same = Callable[[Any, Any], bool]
_DECODER = json.JSONDecoder()


@dataclass
class Fields:
    """A JSON value found in a text: [start, end) of the whole, and value and place of every scalar by its JSON path."""

    start: int
    end: int
    values: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)


def fields_of(text: str) -> Fields | None:
    """The last JSON object or list of a text, fences and prose around it set aside; None where there is none."""
    found, at = None, 0
    while (at := min((i for i in (text.find("{", at), text.find("[", at)) if i >= 0), default=-1)) >= 0:
        made = Fields(at, at)
        try:
            made.end = _value(text, at, "$", made)
            found, at = made, made.end
        except (ValueError, IndexError, RecursionError):
            at += 1
    return found


def same_scalar(a: Any, b: Any) -> bool:
    """Numbers by value, texts without regard to case and spaces, anything else exactly."""
    if isinstance(a, bool) or isinstance(b, bool) or a is None or b is None:
        return a is b
    if isinstance(a, str) and isinstance(b, str):
        return " ".join(a.casefold().split()) == " ".join(b.casefold().split())
    return bool(a == b)


def agreement(attempts: Sequence[Attempt], same: Same = same_scalar) -> dict[str, float] | None:
    """For each field of the first attempt, the share of all attempts that say the same at its path; None without JSON.

    An attempt that is no JSON, or has no such field, disagrees.
    """
    read = [fields_of(attempt.text) for attempt in attempts]
    first = read[0] if read else None
    if first is None:
        return None
    return {path: _share(path, value, read, same) for path, value in first.values.items()}


def _share(path: str, value: Any, read: Sequence[Fields | None], same: Same) -> float:
    return sum(other is not None and path in other.values and same(value, other.values[path]) for other in read) / len(read)


def probability(attempt: Attempt, mind: Mind) -> dict[str, float] | None:
    """For each field of an attempt, the probability of its tokens given all before them; None without JSON or the tokens' text."""
    found, tokens = fields_of(attempt.text), token_spans(attempt, mind)
    if found is None or tokens is None or not attempt.logprobs:
        return None
    logprobs = np.array(attempt.logprobs)
    return {path: min(1.0, float(np.exp(logprobs[tokens_of(span, tokens)].sum()))) for path, span in found.spans.items()}


def _value(text: str, at: int, path: str, made: Fields) -> int:
    """Read the value at `at` into `made` and return where it ends; ValueError where none stands there."""
    at = _blank(text, at)
    if text[at] == "{":
        return _members(text, at, "}", made, lambda i, key: f"{path}.{key}")
    if text[at] == "[":
        return _members(text, at, "]", made, lambda i, key: f"{path}[{i}]")
    made.values[path], end = _DECODER.raw_decode(text, at)
    made.spans[path] = (at, end)
    return end


def _members(text: str, at: int, close: str, made: Fields, path_of: Callable[[int, str], str]) -> int:
    at, count = _blank(text, at + 1), 0
    while text[at] != close:
        key = ""
        if close == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _expected(text, at, ":")
        at = _blank(text, _value(text, at, path_of(count, str(key)), made))
        count += 1
        if text[at] == ",":
            at = _blank(text, at + 1)
        elif text[at] != close:
            raise ValueError(f"neither , nor {close} at {at}")
    return at + 1


def _expected(text: str, at: int, mark: str) -> int:
    at = _blank(text, at)
    if text[at] != mark:
        raise ValueError(f"no {mark} at {at}")
    return at + 1


def _blank(text: str, at: int) -> int:
    while text[at].isspace():
        at += 1
    return at


def weakest(scores: Mapping[str, float]) -> float | None:
    """The least sure field: an answer is right when all its fields are; None without fields."""
    return min(scores.values(), default=None)
