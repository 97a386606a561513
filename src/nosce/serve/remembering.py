"""Lessons on their way into a request, and a request's answer on its way to becoming one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nosce.core.artifact import Artifact
from nosce.core.streams import fingerprint
from nosce.serve.lesson import Lesson, asked
from nosce.serve.lessons import Lessons

_AROUND = ("tools", "tool_choice", "functions", "response_format")


def framed(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """(frame, question): the last turn where it is a user's text, and a digest of all else that an answer depends on.

    What an asker planted around a question (a false fact, an instruction, an earlier turn) is part of the frame: a lesson
    from it is recalled only where the very same stands around the question again.
    """
    messages = body.get("messages") or []
    last = messages[-1] if messages else None
    if not isinstance(last, dict) or last.get("role") != "user" or not isinstance(last.get("content"), str):
        return None
    around = {"turns": messages[:-1], **{name: body[name] for name in _AROUND if body.get(name)}}
    return fingerprint(json.dumps(around, sort_keys=True, ensure_ascii=False)), last["content"]


@dataclass(frozen=True, slots=True)
class Recalled:
    """The lessons for one request, and a lower bound of P(right) of what such records lead to (0: nothing is known)."""

    lessons: tuple[Lesson, ...]
    notes: tuple[str, ...]
    reliability: float = 0.0

    def beside(self, fitted: Artifact | None) -> Artifact:
        """What `auto` takes: the lessons beside the fitted ladder, where there is one."""
        kept = fitted or Artifact("auto", "lessons", {})
        return replace(kept, data={**kept.data, "lessons": list(self.notes), "reliability": self.reliability})


def recalled(book: Lessons, key_id: str, body: Mapping[str, Any], dialect: str, most: int) -> Recalled | None:
    """What this key may be reminded of for this request; None where there is nothing."""
    if (about := framed(body)) is None:
        return None
    found = [(lesson, note) for lesson in book.recall(key_id, *about, most) if (note := noted(lesson, dialect)) is not None]
    if not found:
        return None
    lessons, notes = zip(*found, strict=True)
    same = asked(lessons[0].question) == asked(about[1])
    known = book.reliability() if same else 0.0
    return Recalled(lessons, notes, known)


def noted(lesson: Lesson, dialect: str) -> str | None:
    """A lesson as the model can read it: with its question, so that the model can see whether it applies.

    The bundled model reads facts alone, as lines of a passage; it was never taught to use other lessons.
    """
    if dialect.startswith("socrates"):
        from nosce.tasks.families import facts

        return facts.statement(lesson.question, lesson.text)
    return f"{lesson.question} → {lesson.text} (found right before)"


def draft(
    book: Lessons, key_id: str, trace_id: str, body: Mapping[str, Any], value: str | None,
    choices: Sequence[Mapping[str, Any]] = (), recalled: Sequence[int] = (),
) -> None:  # fmt: skip
    """Note an answer in words, or that there was none, so that it can become a lesson once the truth is told.

    A tool call teaches nothing.
    """
    called = any((choice.get("message") or {}).get("tool_calls") for choice in choices)
    if not called and (about := framed(body)) is not None:
        book.draft(key_id, trace_id, *about, value or "", recalled, body["messages"])
