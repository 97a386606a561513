"""The audit: a random share of all questions is queued for a label, whatever became of them.

Labels that people volunteer are biased, and nobody volunteers one for an answer that was withheld. So lots are drawn over every
question, passed on or thought about, answered or not, before anything is known of its answer.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from nosce.serve.exchange import Exchange
from nosce.serve.store import Store, packed

KEPT = 1 << 18
"""Bytes of an answer that was passed on that are kept for its auditor."""

_LOTS = 1 << 30
_AUDITED = ("/v1/chat/completions", "/v1/completions", "/v1/responses")


def drawn(share: float, path: str) -> bool:
    """Draw the lot of a question; what is asked of the other routes has no answer that could be right."""
    return path in _AUDITED and secrets.randbelow(_LOTS) < share * _LOTS


def queue(
    store: Store, exchange: Exchange, *, question: str | None, answer: str | None, raw: float | None, about: Mapping[str, Any]
) -> None:  # fmt: skip
    """Put a question into the auditor's inbox; `raw` is the confidence stated, None where none was."""
    store.keep(
        "INSERT OR IGNORE INTO audit(trace_id, key_id, at, question, answer, raw, data) VALUES (?,?,?,?,?,?,?)",
        exchange.trace_id, exchange.caller.id, time.time(), question, answer, raw, packed(dict(about)),
    )  # fmt: skip


def put_as(fields: Mapping[str, Any]) -> str:
    """What was asked, as JSON."""
    return packed(fields.get("messages") or fields.get("input") or fields.get("prompt"))


def passed_answer(kept: bytes) -> str | None:
    """The text of an answer that was passed back, whole or as a stream; None where it holds none that can be read."""
    text = kept.decode("utf-8", "replace")
    pieces = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")] or [text]
    said = "".join(part for piece in pieces if (data := _read(piece)) is not None for part in _texts(data))
    return said or None


def _read(piece: str) -> dict[str, Any] | None:
    try:
        data = json.loads(piece)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _texts(data: Mapping[str, Any]) -> Iterator[str]:
    """The text of a completion or of one event of its stream: a chat's, a text's or a response's."""
    choices = data.get("choices")
    for choice in choices[:1] if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            message = choice.get("message") or choice.get("delta")
            yield from _strings(message.get("content") if isinstance(message, dict) else choice.get("text"))
    if data.get("type") == "response.output_text.delta":
        yield from _strings(data.get("delta"))
    for item in data["output"] if isinstance(data.get("output"), list) else ():
        for part in item.get("content") or () if isinstance(item, dict) else ():
            yield from _strings(part.get("text") if isinstance(part, dict) else None)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
