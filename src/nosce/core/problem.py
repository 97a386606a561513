"""A question, what may be used to answer it, and when two answers are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nosce.core.equivalence import Equivalence


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat: who speaks (`system`, `user`, `assistant`, `tool`) and what is said."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One question.

    `text` is what a person would type (or `messages` for a chat); `choices` are the options of a multiple-choice
    question, `context` a passage to read, `tools` the names of tools that may be used. `reference` is hidden from the
    model: it is read by `check` alone. `equivalence` says when two answers are the same; voting means nothing without it.
    """

    id: str
    text: str
    messages: tuple[Message, ...] = ()
    choices: tuple[str, ...] = ()
    context: str | None = None
    tools: tuple[str, ...] = ()
    family: str = ""
    level: int | None = None
    reference: Any = field(default=None, repr=False)
    equivalence: Equivalence = field(default_factory=Equivalence)

    @property
    def graded(self) -> bool:
        """Whether there is a reference to check against."""
        return self.reference is not None

    def check(self, answer: str | None) -> float:
        """Grade an answer in [0, 1]; no answer is 0. Raises InputError when the problem has no reference."""
        return 0.0 if answer is None else self.equivalence.grade(answer, self.reference, self)

    def same(self, a: str, b: str) -> bool:
        """Whether two answers to this problem are the same answer."""
        return self.equivalence.same(a, b)
