"""What an OpenAI-compatible server sends back, read as samples; nonsense becomes None and is never passed on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nosce.models.base import Sample

IMPOSSIBLE = -1000.0
"""Log-probabilities at or below this (servers send -9999) stand for a value that was not measured."""

SLACK = 8
"""Characters by which tokens may fall short of the text before the list counts as cut."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the server's log-probability list, as it came."""

    text: str
    logprob: float | None
    id: int | None = None
    top: tuple[tuple[str, float], ...] | None = None


def number(value: object) -> float | None:
    """A believable log-probability (finite, in (-1000, 0]), or None. Rounding up to 1e-4 above zero is forgiven."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(float(value), 0.0) if IMPOSSIBLE < value <= 1e-4 else None


def count(value: object) -> int | None:
    """A believable token count, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


def tokens_of(choice: dict[str, Any]) -> list[Token]:
    """The tokens of a choice in either of the two formats (chat, completions); empty when there are none."""
    held = choice.get("logprobs")
    if not isinstance(held, dict):
        return []
    if isinstance(entries := held.get("content"), list):
        return [_chat_token(e) for e in entries if isinstance(e, dict)]
    names, values, tops = (held.get(name) for name in ("tokens", "token_logprobs", "top_logprobs"))
    if not isinstance(names, list) or not isinstance(values, list):
        return []
    values, tops = [*values, *[None] * len(names)], [*(tops if isinstance(tops, list) else []), *[None] * len(names)]
    return [Token(str(n), number(v), None, _top(t)) for n, v, t in zip(names, values, tops, strict=False)]


def _chat_token(entry: dict[str, Any]) -> Token:
    return Token(str(entry.get("token", "")), number(entry.get("logprob")), count(entry.get("id")), _top(entry.get("top_logprobs")))


def _top(entries: object) -> tuple[tuple[str, float], ...] | None:
    if isinstance(entries, dict):
        pairs = [(str(k), number(v)) for k, v in entries.items()]
    elif isinstance(entries, list):
        pairs = [(str(e.get("token", "")), number(e.get("logprob"))) for e in entries if isinstance(e, dict)]
    else:
        return None
    return tuple(sorted(((k, v) for k, v in pairs if v is not None), key=lambda pair: -pair[1])) or None


def believable(tokens: Sequence[Token], text: str) -> bool:
    """Whether the log-probabilities can be trusted for this text.

    All there, none impossible, not all exactly 0 (unless alternatives below 0 stand beside them), and long enough.
    """
    if not tokens or any(t.logprob is None for t in tokens):
        return False
    beside = any(value < 0 for t in tokens for _, value in t.top or ())
    if all(t.logprob == 0 for t in tokens) and not beside:
        return False
    return len("".join(t.text for t in tokens)) + SLACK >= len(text)


def cut(text: str, stop: Sequence[str]) -> int | None:
    """Where the first stop string begins, or None. Servers that ignore `stop` are cut here."""
    return min((at for s in stop if s and (at := text.find(s)) >= 0), default=None)


def kept(tokens: Sequence[Token], length: int) -> int:
    """How many tokens begin before character `length`."""
    seen = 0
    for index, token in enumerate(tokens):
        if seen >= length:
            return index
        seen += len(token.text)
    return len(tokens)


def sample_of(choice: dict[str, Any], stop: Sequence[str], top: int, skip: str = "") -> Sample:
    """One choice as a Sample without token counts.

    `skip` is a prefix that this server repeats and that is taken off. Raises ValueError when the choice holds no text.
    """
    text, finish = text_of(choice), str(choice.get("finish_reason") or "stop")
    tokens: list[Token] = tokens_of(choice)
    if not believable(tokens, text):
        tokens = []
    if skip and text.startswith(skip):
        text = text[len(skip) :]
    if (at := cut(text, stop)) is not None:
        text, tokens, finish = text[:at], tokens[: kept(tokens, at)], "stop"
    return Sample(
        text=text,
        finish=finish,
        token_ids=tuple(t.id for t in tokens if t.id is not None) if all(t.id is not None for t in tokens) else (),
        logprobs=tuple(t.logprob for t in tokens if t.logprob is not None) or None,
        top=_tops(tokens, top),
    )


def _tops(tokens: Sequence[Token], top: int) -> tuple[tuple[tuple[str, float], ...], ...] | None:
    if not top or not tokens or any(t.top is None for t in tokens):
        return None
    return tuple((t.top or ())[:top] for t in tokens)


def text_of(choice: dict[str, Any]) -> str:
    """The generated text. Raises ValueError when the choice has no place for one."""
    if isinstance(choice.get("text"), str):
        return str(choice["text"])
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ValueError("a choice without a message")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if content is None:
        content = message.get("refusal") or ""
    if not isinstance(content, str):
        raise ValueError(f"a message whose content is {type(content).__name__}")
    return content


def choices_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The choices in order of their index. Raises ValueError when there are none."""
    held = data.get("choices")
    choices = [c for c in held if isinstance(c, dict)] if isinstance(held, list) else []
    if not choices:
        raise ValueError("no choices")
    return sorted(choices, key=lambda c: count(c.get("index")) or 0)


def usage_of(data: dict[str, Any]) -> tuple[int | None, int | None]:
    """(prompt tokens, completion tokens of all choices) as the server counts them; None where it does not say."""
    usage = data.get("usage")
    if not isinstance(usage, dict):
        return None, None
    prompt, completion = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    return (None, completion) if prompt == 0 else (prompt, completion)


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """`total` split by weight into whole numbers that add up to it (largest remainder, earlier first)."""
    whole = sum(weights) or 1.0
    exact = [total * (w / whole if sum(weights) else 1 / len(weights)) for w in weights]
    parts = [int(e) for e in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_rest[: total - sum(parts)]:
        parts[index] += 1
    return parts
