"""The dialect of a conversation that somebody else began: the question is put exactly as it was asked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from nosce.core.errors import CapabilityError
from nosce.core.problem import Message, Problem
from nosce.mind.dialects import chat_reading as reading
from nosce.mind.dialects.base import Given, Rendered, Reply
from nosce.mind.dialects.chat import LENGTHS, TASKS, TEMPERATURES, Chat
from nosce.models.base import Prompt

LONGEST = 1 << 16
"""Tokens of an answer whose asker set no limit."""

REVISE = "Answer again, correcting what is wrong and keeping what is right. Use the same form as before and add no comment."
_SHORT = 160
_OWN = ("think", "direct", "revise")


class AsAsked(Chat):
    """`think` and `direct` send the caller's turns and nothing else; every other act goes on from them as one more turn.

    The prompt's `text` names the act, so that a model that holds the caller's whole request knows when to use it. An
    answer is what votes compare: a tool call or JSON as it stands, a stated answer, else the text. `longest` is the
    caller's own limit of tokens.
    """

    name = "as-asked"
    acts = frozenset(TASKS)

    def __init__(self, *, longest: int = LONGEST) -> None:
        super().__init__(continuation=False)
        self._longest = longest

    def render(self, act: str, problem: Problem, given: Given) -> Rendered:
        """The turns of an act; see the protocol."""
        if act not in self.acts:
            raise CapabilityError(act, "the as-asked dialect", sorted(self.acts))
        turns = [*problem.messages, *([Message("user", self._asked(problem, given))] if problem.text else [])]
        if given.attempt is not None:
            turns.append(Message("assistant", given.attempt.text))
        if told := self._told(act, given):
            turns.append(Message("user", told))
        top = 20 if act == "verify" else 0
        length = self._longest if act in _OWN else LENGTHS.get(act, 256)
        return Rendered(Prompt(tuple(turns), act), (), length, TEMPERATURES.get(act), top)

    def _asked(self, problem: Problem, given: Given) -> str:
        return given.cue.on("chat").replace("{question}", problem.text) if given.cue else problem.text

    def _told(self, act: str, given: Given) -> str:
        """What is said after the caller's turns: nothing for a plain attempt."""
        parts = self._material(act, replace(given, attempt=None))
        parts += [given.instruction] if given.instruction else []
        if act not in ("think", "direct"):
            parts.append(REVISE if act == "revise" else TASKS[act])
        return "\n\n".join(parts)

    def read(self, act: str, reply: Reply, problem: Problem, given: Given) -> Any:
        """What the reply says; see the protocol."""
        return answer(reply.text, problem) if act in _OWN else super().read(act, reply, problem, given)


def answer(text: str, problem: Problem) -> str | None:
    """What votes compare of a reply: JSON as it stands, a stated answer, else the text on one line; None when it is empty."""
    said = text.strip()
    if not said:
        return None
    if said[0] in "{[" and _is_json(said):
        return said
    stated = reading.answer(said, problem, bare=False)
    return stated or " ".join(said.split())


def prose(value: str) -> bool:
    """Whether an answer is so long that two of them will not be the same by their words."""
    return len(value) > _SHORT and not (value[0] in "{[" and _is_json(value))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
