"""How a mental act is put to a model, and how its reply is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from nosce.core.attempt import Attempt
from nosce.core.problem import Problem
from nosce.mind.cue import Cue
from nosce.models.base import Prompt

ACTS = (
    "think", "direct", "extend", "verify", "critique", "revise", "rate", "foresee", "plan", "decompose", "judge",
    "distil", "lessons", "choose", "propose", "argue", "ask", "recall", "use",
)  # fmt: skip
"""The mental acts, in the order of the design."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an act works on besides the problem; each act reads what it needs."""

    attempt: Attempt | None = None
    attempts: Sequence[Attempt] = ()
    critique: Critique | None = None
    notes: Sequence[str] = ()
    prefix: str = ""
    options: Sequence[str] = ()
    instruction: str = ""
    cue: Cue | None = None


@dataclass(frozen=True, slots=True)
class Critique:
    """The first wrong step (1-based; None when no step is held to be wrong) and why, in the model's words.

    `conclusion` says that the steps stand but the answer does not follow from them.
    """

    step: int | None
    text: str = ""
    conclusion: bool = False

    @property
    def fault(self) -> bool:
        """Whether anything is held to be wrong."""
        return self.step is not None or self.conclusion


@dataclass(frozen=True, slots=True)
class Foresight:
    """What the model foresees of its own attempt: probability of solving it, and the length of its thought in tokens."""

    solve: float
    length: float | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt with the sampling defaults that suit the act."""

    prompt: Prompt
    stop: tuple[str, ...] = ()
    max_tokens: int = 256
    temperature: float | None = None
    top: int = 0


class Reply(Protocol):
    """What a dialect reads: a sample or an attempt."""

    @property
    def text(self) -> str:
        """The reply's text."""

    @property
    def top(self) -> tuple[tuple[tuple[str, float], ...], ...] | None:
        """Per token the likeliest alternatives with their log-probabilities, where the model gives them."""


class Dialect(Protocol):
    """Renders acts and reads replies. `acts` are those it has; the rest raise CapabilityError when rendered."""

    name: str
    acts: frozenset[str]

    def render(self, act: str, problem: Problem, given: Given) -> Rendered:
        """The prompt of an act. Raises CapabilityError naming the act and what would serve instead."""

    def read(self, act: str, reply: Reply, problem: Problem, given: Given) -> Any:
        """What the reply says.

        think, direct, extend, revise: the answer (str | None); verify, rate: a probability or None; critique: a
        Critique; foresee: a Foresight or None; judge: index of the preferred option or None; choose: one of the options or
        None; the rest: the text itself. Never raises, whatever the text.
        """

    def pending(self, text: str) -> tuple[str, str] | None:
        """(tool, argument) when the text ends in a call that waits for its result, else None."""

    def resume(self, text: str, result: str) -> str:
        """The text with the result of the pending call put in, to go on from."""

    def join(self, prefix: str, text: str) -> str:
        """A prefix and what the model went on with, as one text."""

    def steps(self, text: str) -> list[str]:
        """The steps of a thought."""
