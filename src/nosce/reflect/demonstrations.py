"""Worked examples that a model writes for itself, and a question that is put after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nosce.core.problem import Problem
from nosce.mind.cue import Cue
from nosce.mind.dialects.base import Given
from nosce.mind.mind import Mind

About = Literal["relevant", "random"]

KINDS: dict[About, str] = {
    "relevant": "new questions of the same kind as the one above",
    "random": "questions of other kinds, from fields that have nothing to do with the one above",
}
WRITE = Cue(
    "own-demonstrations", 1,
    {"chat": "{question}\n\nDo not answer it. Write {count} {kind}, and work each one through to its answer, in the form\n"
             "Question: <question>\n<numbered steps>\nAnswer: <its answer>"},
)  # fmt: skip
SHOTS = Cue("after-own-demonstrations", 1, {"chat": "Worked examples:\n\n{examples}\n\nNow this one:\n{question}"})
_ONE = re.compile(r"^question\s*:\s*(.+?)\n(.*?)^answer\s*:\s*(.+?)\s*$", re.I | re.M | re.S)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A question, the steps to its answer, and the answer."""

    question: str
    steps: str
    answer: str

    def __str__(self) -> str:
        return f"Question: {self.question}\n{self.steps}\nAnswer: {self.answer}".replace("\n\n", "\n")


async def own_demonstrations(problem: Problem, mind: Mind, count: int, about: About = "relevant") -> list[Demonstration]:
    """At most `count` worked examples, in one call; fewer where they cannot be read."""
    cue = WRITE.filled(count=str(count), kind=KINDS[about])
    made = await mind.attempts("propose", problem, Given(cue=cue), max_tokens=256 * count)
    return read_demonstrations(made[0].text)[:count]


def read_demonstrations(text: str) -> list[Demonstration]:
    """Every `Question: … Answer: …` of a text, in order."""
    return [Demonstration(q.strip(), steps.strip(), answer.strip()) for q, steps, answer in _ONE.findall(text)]


def after(demonstrations: Sequence[Demonstration]) -> Cue | None:
    """The wording that puts a question after worked examples; None without any."""
    return SHOTS.filled(examples="\n\n".join(map(str, demonstrations))) if demonstrations else None


def crossed(demonstrations: Sequence[Demonstration]) -> list[Demonstration]:
    """The same examples, each with the answer of the next: as relevant as before, and wrong."""
    answers = [one.answer for one in demonstrations]
    return [replace(one, answer=other) for one, other in zip(demonstrations, answers[1:] + answers[:1], strict=True)]
