"""A caller's conversation: its turns as a strategy reads them, and its own messages kept as they came."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nosce.core.problem import Message


def turns(messages: Sequence[Any]) -> tuple[Message, ...]:
    """The text of a conversation, as a strategy sees it; what is no text is named in brackets."""
    return tuple(Message(str(m.get("role", "user")), said(m)) for m in messages if isinstance(m, dict))


def said(message: Mapping[str, Any]) -> str:
    """The text of one message, and its tool calls as JSON."""
    content = message.get("content")
    if isinstance(content, list):
        content = "\n".join(str(p.get("text") or f"[{p.get('type', 'part')}]") for p in content if isinstance(p, dict))
    calls = called(message)
    return "\n".join(part for part in (content if isinstance(content, str) else "", calls) if part)


def called(message: Mapping[str, Any]) -> str:
    """The tool calls of a message in one canonical form, so that equal calls are equal texts; empty without any."""
    calls = message.get("tool_calls")
    held = [c.get("function") for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
    functions = [function for function in held if isinstance(function, dict)]
    if isinstance(old := message.get("function_call"), dict):
        functions.append(old)
    if not functions:
        return ""
    plain = [{"name": f.get("name"), "arguments": _parsed(f.get("arguments"))} for f in functions]
    return json.dumps(plain, sort_keys=True, ensure_ascii=False)


def _parsed(arguments: Any) -> Any:
    try:
        return json.loads(arguments)
    except (ValueError, TypeError, RecursionError):
        return arguments


def beside(raw: Sequence[Any], said_: Sequence[Message], turned: tuple[Message, ...]) -> list[Any]:
    """A prompt's turns as messages, with the caller's own (`raw`, seen as `turned`) in place of their text.

    Turns of one speaker in a row become one.
    """
    size = len(turned)
    at = next((i for i in range(len(said_) - size + 1) if tuple(said_[i : i + size]) == turned), None) if size else None
    if at is None:
        return [{"role": m.role, "content": m.content} for m in said_]
    before, after = said_[:at], said_[at + size :]
    made = [*({"role": m.role, "content": m.content} for m in before), *raw]
    for message in after:
        last = made[-1] if made else {}
        if message.role == "user" and last.get("role") == "user":
            made[-1] = {**last, "content": _joined(last.get("content"), message.content)}
        else:
            made.append({"role": message.role, "content": message.content})
    return made


def _joined(content: Any, more: str) -> Any:
    if isinstance(content, list):
        return [*content, {"type": "text", "text": more}]
    return f"{content}\n\n{more}" if content else more
